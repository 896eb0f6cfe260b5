"""Pages of the strategies room under /strategies/."""

from django.urls import path

from apps.strategies import views

app_name = "strategies"
urlpatterns = [
    path("", views.StrategyListView.as_view(), name="strategy-list"),
    path("add/", views.strategy_add, name="strategy-add"),
    path("traces/", views.TraceListView.as_view(), name="trace-list"),
    path("traces/retry/", views.traces_retry, name="trace-retry"),
    path("traces/<uuid:pk>/", views.trace_detail, name="trace-detail"),
    path("traces/of/<uuid:raw_event>/", views.event_trace, name="event-trace"),
    path("bindings/<uuid:pk>/end/", views.binding_end, name="binding-end"),
    path("<uuid:pk>/", views.strategy_detail, name="strategy-detail"),
    path("<uuid:pk>/draft/", views.strategy_draft, name="strategy-draft"),
    path("<uuid:pk>/switch/", views.strategy_switch, name="strategy-switch"),
    path("<uuid:pk>/bind/", views.strategy_bind, name="strategy-bind"),
]
