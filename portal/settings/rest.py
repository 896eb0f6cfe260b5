"""The REST API: session or key, one problem shape (RFC 9457), key-set pages, documented by drf-spectacular."""

import os

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.core.rest.PrincipalSessionAuthentication",
        "apps.openapi.permissions.ApiKeyAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["apps.core.rest.ScopePermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "apps.core.rest.KeysetPagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "apps.core.rest.problem_handler",
    "PAGE_SIZE": 50,
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_THROTTLE_CLASSES": ["apps.core.rates.PrincipalThrottle"],
}
#: Calls a minute: of an API key, and of a person's pages together.
VANTAGE_CALLS_PER_MINUTE = {
    "key": int(os.environ.get("VANTAGE_CALLS_PER_KEY", "600")),
    "user": int(os.environ.get("VANTAGE_CALLS_PER_USER", "1200")),
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Vantage API",
    "DESCRIPTION": "城市视频云中台开放接口 / the open interface of Vantage.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": True,
    "ENUM_NAME_OVERRIDES": {
        "CameraKindEnum": "apps.devices.choices.CameraKind.choices",
        "CameraStateEnum": "apps.devices.choices.CameraState.choices",
        "DeliveryStateEnum": "apps.openapi.choices.DeliveryState.choices",
        "EndpointStateEnum": "apps.openapi.choices.EndpointState.choices",
        "MessageKindEnum": "apps.openapi.choices.MessageKind.choices",
        "PackageStateEnum": "apps.algorithms.choices.VersionState.choices",
    },
    "PREPROCESSING_HOOKS": ["portal.api.only_public_api"],
}
