"""Pages of the analysis room under /analysis/."""

from django.urls import path

from apps.analysis.views import plans, scenes, slots, tasks

app_name = "analysis"
urlpatterns = [
    path("tasks/", tasks.TaskListView.as_view(), name="task-list"),
    path("tasks/add/", tasks.task_add, name="task-add"),
    path("tasks/cameras/", tasks.camera_choices, name="camera-choices"),
    path("tasks/<uuid:pk>/", tasks.task_detail, name="task-detail"),
    path("tasks/<uuid:pk>/submit/", tasks.task_submit, name="task-submit"),
    path("tasks/<uuid:pk>/stop/", tasks.task_stop, name="task-stop"),
    path("scenes/", scenes.SceneListView.as_view(), name="scene-list"),
    path("scenes/add/", scenes.scene_add, name="scene-add"),
    path("scenes/rules/<uuid:pk>/shapes", scenes.scene_shapes, name="scene-shapes"),
    path("scenes/<uuid:camera_id>/<int:preset>/", scenes.scene_edit, name="scene-edit"),
    path("plans/", plans.PlanListView.as_view(), name="plan-list"),
    path("plans/add/", plans.plan_edit, name="plan-add"),
    path("plans/<uuid:pk>/", plans.plan_edit, name="plan-edit"),
    path("slots/", slots.SlotListView.as_view(), name="slot-list"),
    path("cameras/<uuid:pk>/coverage/", slots.camera_coverage, name="camera-coverage"),
    path("cameras/<uuid:pk>/tasks/", slots.camera_tasks, name="camera-tasks"),
]
