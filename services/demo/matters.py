"""What people come with: titles and stories by category; `{a}` and `{b}` are whom they are about."""

from random import Random
from typing import Final, NamedTuple


class Matter(NamedTuple):
    title: str
    story: str


MATTERS: Final[dict[str, tuple[Matter, ...]]] = {
    "NEIGHBOUR": (
        Matter("宅基边界围墙纠纷", "{a}反映邻居{b}砌墙越过两家滴水线，雨水倒灌灶间。"),
        Matter("相邻通行纠纷", "{b}在公共弄堂堆放柴垛，{a}家三轮车无法进出，多次争吵。"),
        Matter("采光通风纠纷", "{b}翻建偏房加高，{a}认为遮挡北屋采光。"),
        Matter("鸡鸭散养扰邻", "{a}称{b}散养鸡鸭啄食菜地，协商未果。"),
    ),
    "FAMILY": (
        Matter("赡养老人纠纷", "{a}年过八旬，与儿子{b}就轮流赡养和医药费分担争执不下。"),
        Matter("分家析产纠纷", "{a}与兄弟{b}就老宅三间正房的分割意见不一。"),
        Matter("夫妻感情纠纷", "{a}与{b}因外出务工和子女抚养多次争吵，邻里劝说未果。"),
        Matter("婆媳矛盾", "{a}与儿媳{b}因带孩子和家用开支发生争执。"),
    ),
    "HILLS_AND_LAND": (
        Matter("承包地界址纠纷", "{a}与{b}承包地相邻，秋耕后田埂移位约半米。"),
        Matter("土地流转租金纠纷", "{a}把三亩地流转给{b}，当季租金逾期未付。"),
        Matter("田间排灌纠纷", "{b}堵住放水口，{a}家下游稻田缺水。"),
    ),
    "HOMESTEAD": (
        Matter("宅基地使用权纠纷", "{a}翻建房屋，{b}称占用了自家场地。"),
        Matter("老宅拆旧建新纠纷", "{a}与{b}共有的隔墙拆除后由谁重砌未能谈拢。"),
    ),
    "LAND_ACQUISITION": (
        Matter("征地青苗补偿争议", "{a}认为管线工程青苗补偿丈量有误，{b}等农户同有意见。"),
        Matter("搬迁安置争议", "{a}对安置房面积核定不满，要求复核。"),
    ),
    "COMPENSATION": (
        Matter("电动车碰撞赔偿", "{a}骑车与{b}相撞，医药费赔偿数额未能一致。"),
        Matter("犬只伤人赔偿", "{b}家狗咬伤{a}，疫苗和误工费分担有争议。"),
    ),
    "CONTRACT": (
        Matter("建房工程款纠纷", "{a}请{b}包工建房，尾款因质量问题未付。"),
        Matter("房屋租赁纠纷", "{a}与租客{b}就押金退还发生争执。"),
    ),
    "LABOUR": (
        Matter("拖欠工资", "{a}在{b}的家纺作坊做工，两个月工资未结。"),
        Matter("工伤补偿纠纷", "{a}操作绣花机受伤，与业主{b}就补偿有分歧。"),
    ),
    "FAMILY_PLANNING": (Matter("奖励扶助资格", "{a}询问奖励扶助资格未获确认的原因。"),),
    "VILLAGE_AFFAIRS": (
        Matter("村务公开内容不清", "{a}等反映上季度河道保洁支出公开不细。"),
        Matter("低保评议意见", "{a}对本组低保评议结果有意见，要求说明。"),
    ),
    "ENVIRONMENT": (
        Matter("秸秆堆放污染河道", "{a}反映{b}把秸秆堆在河坡，雨后河水发黑。"),
        Matter("家纺作坊噪声", "{a}反映{b}的作坊夜间加班噪声大。"),
    ),
    "TRAFFIC": (
        Matter("村道会车视线遮挡", "{a}反映路口绿植过高，已有两次剐蹭。"),
        Matter("货车碾压村道", "{a}反映{b}的货车超载碾压村道，路面破损。"),
    ),
    "MEDICAL": (Matter("诊疗费用争议", "{a}对{b}诊所收费和用药有疑问。"),),
    "PROPERTY_MANAGEMENT": (
        Matter("物业维修不及时", "{a}反映楼道漏水报修半月未修，{b}为物业经办人。"),
        Matter("公共收益公示", "{a}要求物业{b}公示电梯广告收益。"),
    ),
    "OTHER": (Matter("婚约彩礼返还", "{a}与{b}解除婚约，彩礼返还未能谈拢。"),),
    "FLOODING": (Matter("路面积水", "{a}反映门前道路雨后积水没过脚踝，老人出行不便。"),),
    "ROADS": (Matter("道路破损", "{a}反映村道水泥路面断裂，骑车易摔。"),),
    "MANHOLES": (Matter("窨井盖缺损", "{a}反映小区窨井盖破裂松动，夜间危险。"),),
    "LIGHTING": (Matter("路灯不亮", "{a}反映支路没有路灯，夜间出行看不清。"),),
    "ELDERLY_ROOMS": (Matter("老年活动室", "{a}等老人希望新建活动室，现有场地漏雨。"),),
    "EQUIPMENT": (Matter("健身器材损坏", "{a}反映健身点器材锈蚀松动。"),),
    "BRIDGES": (Matter("危桥翻建", "{a}反映机耕桥桥面开裂，农机不敢通行。"),),
    "FARM_TRACKS": (Matter("机耕路坑洼", "{a}反映机耕路坑洼，收割机进不了田。"),),
    "UNDERGROUND_CHANNELS": (Matter("地下渠道渗漏", "{a}反映地下渠道渗漏，下游灌不上水。"),),
    "DRAINS": (Matter("排水沟淤塞", "{a}反映排水沟淤塞，雨天田间积水。"),),
    "UNMANAGED_ESTATE": (Matter("小区无人管理", "{a}反映老小区没有物业，垃圾无人清运。"),),
    "FEE_COLLECTION": (Matter("物业费收缴", "{a}反映物业费收缴与服务不符，多户拒缴。"),),
    "STAIRWELL_CLUTTER": (Matter("楼道乱堆物", "{a}反映{b}在楼道堆放旧家具，堵住消防通道。"),),
    "PARKING": (Matter("停车难", "{a}反映晚间无处停车，{b}等多户占用绿地和通道。"),),
    "GREEN_SPACE_PLOTS": (Matter("毁绿种菜", "{a}反映{b}毁绿种菜，浇粪异味大。"),),
    "DOGS": (Matter("不文明养犬", "{a}反映{b}遛狗不牵绳，不清理粪便。"),),
    "HIRING_AND_RETIREES": (Matter("村级聘用与退休留用", "{a}等对村级工作人员聘用和退休留用办法有意见。"),),
    "CADRE_PAY": (Matter("组长代表待遇", "{a}等询问村民组长和村民代表的待遇标准。"),),
    "HARDSHIP_SUBSIDY": (Matter("困难补助标准", "{a}反映困难村民补助标准不一。"),),
    "FUNERAL_GRANT": (Matter("丧葬慰问金", "{a}询问丧葬慰问金发放范围。"),),
    "STUDY_GRANT": (Matter("助学奖励", "{a}希望明确助学奖励的条件和数额。"),),
    "PUBLIC_SAFETY": (
        Matter("可疑人员线索", "巡查发现出租屋内有身份不明人员{a}。"),
        Matter("消防隐患线索", "巡查发现{a}的作坊住人与生产混用。"),
    ),
    "SERVICE_REQUEST": (
        Matter("代办医保登记", "{a}行动不便，请求代办居民医保登记。"),
        Matter("代办老年证", "{a}请求代办老年优待证。"),
        Matter("上门见证", "{a}有一份协议需要见证，不便出门。"),
    ),
}

FINDINGS: Final = (
    "户主{a}家中一切正常，对村务公开表示满意。",
    "{a}希望村里多办老年人活动，家中无其他诉求。",
    "走访{a}家，宣传自治章程，听取意见，无问题。",
    "{a}反映近期自来水压偏低，已告知报修电话。",
    "{a}独居，身体尚好，已登记每周电话问候。",
    "{a}建议在路口加装反光镜，已记录。",
    "{a}家正在翻建，提醒其注意与邻居协商滴水线。",
    "{a}外出务工，由家人接待，了解土地流转情况。",
    "{a}对垃圾分类投放时间有建议，已转告。",
    "向{a}讲解了防诈骗知识，家中老人较多。",
)


def matter(category: str, a: str, b: str, dice: Random) -> Matter:
    """A title and a story of that category about two people."""
    title, story = dice.choice(MATTERS[category])
    return Matter(title, story.format(a=a, b=b))
