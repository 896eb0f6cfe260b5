"""Headers: nothing comes from outside the site and nothing runs inline."""

from csp.constants import NONE, SELF

from portal.settings.environment import flag, listed

# Networks of the site's own reverse proxies: only what they say about the client's address is believed.
VANTAGE_PROXIES = listed("VANTAGE_PROXIES") or (
    ["127.0.0.1/32", "::1/128"] if flag("VANTAGE_BEHIND_PROXY") else []
)

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "media-src": [SELF, "blob:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
