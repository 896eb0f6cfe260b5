"""The Demo City's organisations, accounts and dictionaries as plain data; nothing of it is real."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OrganisationEntry:
    """A node of the organisation tree; kind is a value of OrganisationKind."""

    code: str
    parent: str | None
    kind: str
    name_zh: str
    name_en: str
    is_data_authority: bool = False
    region: str = ""


ORGANISATIONS: tuple[OrganisationEntry, ...] = (
    OrganisationEntry("DEMO", None, "bureau", "演示市数据资源局", "Demo City Data Bureau", True, "990100"),
    OrganisationEntry("CG", "DEMO", "bureau", "演示市城管局", "Urban Management Bureau", region="990100"),
    OrganisationEntry("JT", "DEMO", "bureau", "演示市交通局", "Transport Bureau", region="990100"),
    OrganisationEntry(
        "GA",
        "DEMO",
        "bureau",
        "演示市公共安全与应急局",
        "Public Safety and Emergency Bureau",
        region="990100",
    ),
    OrganisationEntry("SN", "DEMO", "district", "山南区", "Shannan District", region="990101"),
    OrganisationEntry("HD", "DEMO", "district", "湖东区", "Hudong District", region="990102"),
    OrganisationEntry("JB", "DEMO", "district", "江北区", "Jiangbei District", region="990103"),
    OrganisationEntry("HD-ZQ", "HD", "street", "站前街道办", "Zhanqian Street Office", region="990102004"),
    OrganisationEntry("HD-JS", "HD", "street", "集市街道办", "Jishi Street Office", region="990102002"),
    OrganisationEntry(
        "CG-SN", "CG", "bureau", "城管局山南大队", "Urban Management, Shannan Brigade", region="990101"
    ),
    OrganisationEntry("BUS", "JT", "enterprise", "演示市公交公司", "Demo City Buses", region="990100"),
    OrganisationEntry("DEV", "DEMO", "developer", "云图算法公司", "Cloudmap Algorithms"),
    OrganisationEntry("OPS", "DEMO", "maintainer", "演示运维公司", "Demo Maintenance"),
)


@dataclass(frozen=True)
class UserEntry:
    """An account; role is a value of RoleCode. Passwords are made when the demo is made, never here."""

    username: str
    organisation: str
    role: str
    name_zh: str
    name_en: str


USERS: tuple[UserEntry, ...] = (
    UserEntry("approver", "DEMO", "data_authority_approver", "陈数", "Chen Shu"),
    UserEntry("operator", "DEMO", "operator", "林运", "Lin Yun"),
    UserEntry("resources", "DEMO", "resource_manager", "赵接", "Zhao Jie"),
    UserEntry("governor", "CG", "camera_governor", "周治", "Zhou Zhi"),
    UserEntry("arranger", "CG", "algorithm_arranger", "吴编", "Wu Bian"),
    UserEntry("reviewer", "CG", "event_reviewer", "郑研", "Zheng Yan"),
    UserEntry("officer", "CG", "bureau_officer", "孙城", "Sun Cheng"),
    UserEntry("leader", "JT", "bureau_approver", "钱交", "Qian Jiao"),
    UserEntry("developer", "DEV", "developer", "冯开", "Feng Kai"),
    UserEntry("sysadmin", "DEMO", "system_admin", "韩系", "Han Xi"),
    UserEntry("secadmin", "DEMO", "security_admin", "杨安", "Yang An"),
    UserEntry("auditor", "DEMO", "audit_admin", "朱审", "Zhu Shen"),
)


@dataclass(frozen=True)
class EventTypeEntry:
    """A node of the event type tree: level urgent or general, review_policy of ReviewPolicy, validity in minutes."""

    code: str
    parent: str | None
    name_zh: str
    name_en: str
    level: str = "general"
    review: str = "review_first"
    validity_minutes: int = 1440
    national_code: str = ""


EVENT_TYPES: tuple[EventTypeEntry, ...] = (
    EventTypeEntry("01", None, "城市管理", "Urban management"),
    EventTypeEntry("0101", "01", "市容环境", "Appearance of the city"),
    EventTypeEntry("010101", "0101", "暴露垃圾", "Exposed garbage", national_code="0201"),
    EventTypeEntry(
        "010102", "0101", "占道经营", "Stall on the pavement", validity_minutes=240, national_code="0501"
    ),
    EventTypeEntry("0102", "01", "市政设施", "Municipal works"),
    EventTypeEntry("010201", "0102", "道路积水", "Water on the road", "urgent", validity_minutes=120),
    EventTypeEntry("02", None, "公共安全", "Public safety"),
    EventTypeEntry("0201", "02", "区域安全", "Safety of places"),
    EventTypeEntry("020101", "0201", "行人闯入", "Pedestrian intrusion", "urgent", validity_minutes=60),
    EventTypeEntry("020102", "0201", "物品遗留", "Object left behind", "urgent", validity_minutes=120),
    EventTypeEntry(
        "020103", "0201", "人员出现", "People present", review="not_required", validity_minutes=60
    ),
    EventTypeEntry("03", None, "交通运行", "Traffic"),
    EventTypeEntry("0301", "03", "道路交通", "Road traffic"),
    EventTypeEntry(
        "030101", "0301", "车辆出现", "Vehicles present", review="not_required", validity_minutes=60
    ),
    EventTypeEntry("09", None, "运行保障", "Operations"),
    EventTypeEntry("0901", "09", "视频质量", "Video quality"),
    EventTypeEntry("090101", "0901", "黑屏", "Black picture"),
    EventTypeEntry("090102", "0901", "画面冻结", "Picture frozen"),
    EventTypeEntry("090103", "0901", "画面过亮", "Too bright"),
    EventTypeEntry("090104", "0901", "画面模糊", "Blurred picture"),
    EventTypeEntry("090105", "0901", "镜头遮挡", "Lens occluded"),
    EventTypeEntry("090106", "0901", "画面偏色", "Colour cast"),
)

PLACE_TYPES: tuple[tuple[str, str | None, str, str], ...] = (
    ("A", None, "交通场所", "Traffic"),
    ("A01", "A", "道路", "Roads"),
    ("A0101", "A01", "主干路", "Arterial road"),
    ("A0102", "A01", "支路街巷", "Lane"),
    ("A0103", "A01", "路口", "Crossing"),
    ("A0104", "A01", "下穿通道", "Underpass"),
    ("A0105", "A01", "桥梁", "Bridge"),
    ("A02", "A", "场站", "Stations"),
    ("A0201", "A02", "车站广场", "Station square"),
    ("A0202", "A02", "公交场站", "Bus depot"),
    ("B", None, "公共场所", "Public places"),
    ("B01", "B", "商业", "Trade"),
    ("B0101", "B01", "集贸市场", "Market"),
    ("B0102", "B01", "商业街", "Shopping street"),
    ("B02", "B", "休闲", "Leisure"),
    ("B0201", "B02", "公园", "Park"),
    ("B0202", "B02", "广场", "Square"),
    ("B03", "B", "教育", "Education"),
    ("B0301", "B03", "学校周边", "Near a school"),
    ("C", None, "居住场所", "Housing"),
    ("C01", "C", "小区", "Estates"),
    ("C0101", "C01", "小区出入口", "Estate gate"),
)

TAG_TREES: tuple[tuple[str, str, str, tuple[tuple[str, str, str | None], ...]], ...] = (
    (
        "scene",
        "场景标签",
        "Scene",
        (
            ("road", "道路", None),
            ("crossing", "路口", "road"),
            ("pavement", "人行道", "road"),
            ("water-prone", "易积水", "road"),
            ("trade", "商业", None),
            ("stalls", "摊贩聚集", "trade"),
            ("green", "绿地", None),
            ("waterside", "临水", "green"),
        ),
    ),
    (
        "work",
        "业务标签",
        "Work",
        (
            ("cg", "城管重点", None),
            ("jt", "交通重点", None),
            ("school-run", "护学", "jt"),
            ("flood", "防汛", None),
            ("night", "夜间保障", None),
        ),
    ),
)

DIRECTORIES: tuple[tuple[str, str | None, str, str, str, str], ...] = (
    # code, parent, kind, organisation, name zh, name en
    ("official", None, "official", "DEMO", "全市资源目录", "Official catalogue"),
    ("official-SN", "official", "official", "DEMO", "山南区", "Shannan District"),
    ("official-HD", "official", "official", "DEMO", "湖东区", "Hudong District"),
    ("official-JB", "official", "official", "DEMO", "江北区", "Jiangbei District"),
    ("own-CG", None, "own", "CG", "城管重点点位", "Urban management focus"),
    ("own-JT", None, "own", "JT", "交通重点点位", "Transport focus"),
    ("own-GA", None, "own", "GA", "安全重点点位", "Safety focus"),
    ("synced", None, "synced", "GA", "公安共享平台（同步）", "Police platform (synchronised)"),
)
