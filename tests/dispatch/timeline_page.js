// Feeds the timeline of the test page, with words in both languages, and keeps what it tells.

const HOUR = 3_600_000;
const EIGHT = Date.parse('2026-11-25T08:00:00+08:00');
const english = document.documentElement.lang === 'en';
const say = (zh, en) => (english ? en : zh);
const time = new Intl.DateTimeFormat('en-GB', { timeZone: 'Asia/Shanghai', hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(say('zh-CN', 'en-GB'), { timeZone: 'Asia/Shanghai', month: 'short', day: 'numeric', weekday: 'short' });
const at = hour => EIGHT + (hour - 8) * HOUR;

const words = {
  label: say('工程师时间线', 'Timeline of technicians'),
  lanes: say('工程师', 'Technicians'),
  axis: say('时间', 'Time'),
  help: say('回车拿起，方向键移动，回车放下，Esc 取消。', 'Enter picks up, arrows move, Enter drops, Escape cancels.'),
  empty: say('没有工程师', 'No technicians'),
  hour: (moment, short) => (short ? String(Number(time.format(moment).slice(0, 2))) : time.format(moment)),
  day: moment => day.format(moment),
  time: moment => time.format(moment),
  bar: (bar, lane) => [bar.short, bar.title, lane.title, `${time.format(bar.start)}–${time.format(bar.end)}`, bar.state, bar.risk && say('有风险', 'at risk'), bar.pinned && say('固定', 'pinned')].filter(Boolean).join(', '),
  placing: say('安排 %(short)s', 'Placing %(short)s'),
  picked: say('已拿起 %(title)s，%(lane)s %(start)s', 'Picked up %(title)s, %(lane)s %(start)s'),
  at: say('%(lane)s %(start)s–%(end)s %(text)s', '%(lane)s %(start)s to %(end)s. %(text)s'),
  dropped: say('%(title)s 放到 %(lane)s %(start)s', 'Dropped %(title)s at %(lane)s, %(start)s'),
  resized: say('%(title)s 到 %(end)s', '%(title)s now ends at %(end)s'),
  refused: say('%(lane)s 不行：%(text)s', 'Not with %(lane)s: %(text)s'),
  cancelled: say('已取消', 'Cancelled'),
  taken: say('%(title)s 刚被别人改了', '%(title)s was changed by somebody else'),
  fixed: say('%(title)s 不能移动', '%(title)s cannot be moved'),
  selected: say('已选 %(count)s', '%(count)s selected'),
  settled: say('%(title)s 回到原处', '%(title)s went back'),
};

const LOOKS = {
  done: { tone: 'mute', icon: 'check', state: 'Completed', done: true, movable: false },
  work: { tone: 'ok', icon: 'wrench', state: 'At work', movable: false },
  road: { tone: 'info', icon: 'truck', state: 'On the way' },
  taken: { tone: 'info', icon: 'check', state: 'Accepted' },
  sent: { tone: 'info', icon: 'arrow-right', state: 'Sent' },
  plan: { tone: 'mute', icon: 'circle', state: 'Proposed', proposed: true },
  late: { tone: 'bad', icon: 'triangle-alert', state: 'Late' },
};

const PEOPLE = [
  ['xw', '陆建国', 'J. Lu', [['done', 8.3, 1.6, '锡洲 换油', 'Xizhou oil'], ['taken', 14.15, 1.6, '华东 油检', 'HD sample', { travelMin: 55 }], ['sent', 15.95, 1.05, '精工', 'JG', { travelMin: 10 }]]],
  ['xw', '陈志远', 'Z. Chen', [['work', 8, 2.2, '华锐 主轴异响', 'Huarui spindle', { pinned: true }], ['taken', 13, 2, '联创 刀库卡刀', 'Lianchuang ATC'], ['sent', 15.4, 1.5, '精工 校准', 'JG calib.', { travelMin: 18 }]]],
  ['xw', '许晓峰', 'X. Xu', [['work', 8.5, 2.6, '江南水泥 立磨', 'Jiangnan mill'], ['taken', 13.2, 1.8, '新桥 液压', 'XQ hydr.', { parts: 'arriving' }], ['plan', 15.4, 1.4, '博远 油样', 'Boyuan', { travelMin: 20 }]]],
  ['xw', '吴昊', 'H. Wu', [['done', 8.2, 1.5, '恒力 漏油', 'Hengli leak'], ['road', 10.2, 1.8, '华东 密封', 'HD seal', { risk: true, travelMin: 26, priority: 'P1' }], ['taken', 13.1, 2.4, '锡洲 轴承箱', 'Xizhou housing']]],
  ['xw', '朱丽', 'L. Zhu', [['sent', 13, 2, '新桥 涂层验收', 'Xinqiao coat'], ['plan', 15.6, 1.6, '护栏 补漆', 'Touch-up', { travelMin: 30 }]], { from: 12.5, to: 18 }],
  ['xw', '顾明', 'M. Gu', [['done', 8.6, 2, '锡钢 油站', 'Xigang lube'], ['taken', 11.05, 1, '锡钢', 'Xigang', { travelMin: 24 }], ['taken', 13, 1.5, '盛源 巡检', 'Shengyuan'], ['sent', 15, 1.8, '华能 风机', 'Huaneng fan', { travelMin: 24 }]]],
  ['sz', '沈磊', 'L. Shen', [['work', 8.4, 2.4, '东吴 X 轴伺服', 'Dongwu X servo'], ['taken', 13, 1.4, '三祥 对刀', 'SX tools'], ['sent', 14.9, 1.9, '东吴 复检', 'DW recheck', { travelMin: 24 }]]],
  ['sz', '王海涛', 'H. Wang', [['work', 8.2, 3.5, '金阊 转台抱死', 'Jinchang rotary table', { pinned: true, priority: 'P1' }], ['taken', 13.2, 2.2, '园区 精度恢复', 'SIP accuracy', { risk: true, travelMin: 40 }]]],
  ['sz', '钱进', 'J. Qian', [['done', 8.5, 1.4, '纳科 冷却', 'Nako'], ['road', 10.3, 1.6, '纳科 主轴', 'Nako spindle', { parts: 'missing', travelMin: 18 }], ['sent', 13.1, 1.7, '思达 球杆仪', 'Sida ball-bar']]],
  ['sz', '徐静', 'J. Xu', [['done', 9, 1.6, '阳澄 油样', 'Yangcheng'], ['taken', 11, 1, '阳澄', 'Yangcheng', { travelMin: 18 }], ['taken', 13, 1.6, '吴中 换油', 'Wuzhong oil'], ['sent', 15, 1.6, '吴中 油滤', 'WZ filter', { travelMin: 18 }]]],
  ['sz', '马超', 'C. Ma', [['work', 8, 3.6, '太湖船舶 分段膜厚', 'Taihu Ship hull DFT', { pinned: true }], ['taken', 13, 3.4, '太湖船舶 露点复测', 'Taihu Ship dew point']]],
  ['sz', '何俊', 'J. He', [], { away: [say('休假', 'On leave'), 8, 18], note: say('休假', 'On leave') }],
  ['ks', '赵刚', 'G. Zhao', [['done', 8.3, 1.8, '昆隆 丝杠', 'KL screw'], ['late', 10.6, 1.4, '昆隆 导轨', 'KL way', { travelMin: 24 }], ['taken', 13.1, 2, '世硕 主轴保养', 'Shishuo PM', { risk: true }]]],
  ['ks', '孙丽华', 'L. Sun', [['work', 8.8, 2.6, '千灯桥 附着力', 'Qiandeng adhesion'], ['taken', 13.2, 2.6, '淀山闸 打磨验收', 'Dianshan gate', { travelMin: 30 }]]],
  ['ks', '冯涛', 'T. Feng', [['done', 8.5, 1.5, '六丰 油冷机', 'Liufeng'], ['road', 10.9, 1.1, '六丰', 'Liufeng', { travelMin: 48 }], ['taken', 13, 1.5, '好孩 液压', 'HH hydr.'], ['plan', 15, 1.5, '正新 油检', 'ZX oil', { travelMin: 24 }]]],
  ['ks', '蒋文', 'W. Jiang', [['work', 8.2, 2.2, '仁宝 伺服调机', 'Renbao servo'], ['taken', 11, 0.5, '仁宝', 'Renbao', { travelMin: 30 }], ['sent', 13.3, 2.4, '富士 五轴标定', 'Fushi 5-axis', { travelMin: 30 }]]],
  ['ks', '韩冰', 'B. Han', [['done', 8.5, 3, '安全复训', 'Safety refresher']]],
  ['ks', '唐宁', 'N. Tang', [], { from: 16.5, to: 18, onCall: true, note: say('待命', 'On call') }],
];

function board() {
  const lanes = [];
  const bars = [];
  for (const [group, zh, en, visits, { from = 8, to = 17, onCall, away, note } = {}] of PEOPLE) {
    const id = `t${lanes.length + 1}`;
    lanes.push({
      id, group, title: say(zh, en), note,
      shifts: away ? [] : [{ start: at(from), end: at(to), onCall }],
      breaks: away || from > 8 ? [] : [{ start: at(12), end: at(12.75) }],
      away: away ? [{ title: away[0], start: at(away[1]), end: at(away[2]) }] : [],
    });
    for (const [look, start, hours, zhTitle, enTitle, more] of visits) {
      const number = bars.length + 1;
      bars.push({
        id: `v${number}`, lane: id, start: at(start), end: at(start + hours), title: say(zhTitle, enTitle),
        short: `WO-2026-00${4100 + number}`, version: 1, movable: true, priority: 'P3', ...LOOKS[look], ...more,
      });
    }
  }
  const groups = [
    { id: 'xw', title: say('无锡新吴站', 'Wuxi Xinwu'), note: say('负荷 82% · 6 人', '82% loaded · 6 on duty') },
    { id: 'sz', title: say('苏州园区站', 'Suzhou SIP'), note: say('负荷 74% · 5 人在岗', '74% loaded · 5 on duty') },
    { id: 'ks', title: say('昆山站', 'Kunshan'), note: say('负荷 69% · 5 人在岗', '69% loaded · 5 on duty') },
  ];
  return { start: at(8), end: at(18), now: at(10) + 34 * 60_000, snapMin: 5, groups, lanes, bars };
}

// Several days, working hours only, and as many lanes as asked for.
function days(count, people = 40) {
  const axis = Array.from({ length: count }, (_, number) => ({ start: at(8 + 24 * number), end: at(18 + 24 * number) }));
  const lanes = Array.from({ length: people }, (_, number) => ({
    id: `t${number}`, group: number < people / 2 ? 'xw' : 'sz', title: `${say('工程师', 'Technician')} ${number + 1}`,
    shifts: axis.map(one => ({ start: one.start, end: one.end - HOUR })), breaks: [],
  }));
  const bars = lanes.flatMap((lane, row) => axis.map(({ start }, number) => ({
    id: `${lane.id}d${number}`, lane: lane.id, start: start + ((row + number) % 5) * HOUR, end: start + ((row + number) % 5 + 2) * HOUR,
    title: say('换油', 'Oil change'), short: `WO-2026-00${1000 + row * 10 + number}`, version: 1, movable: true, priority: 'P3', ...LOOKS[number % 2 ? 'sent' : 'plan'],
  })));
  return { ...board(), start: axis[0].start, end: axis.at(-1).end, axis, lanes, bars };
}

function judge() {
  const verdicts = [['yes', 'Arr. 10:52', '10:52 到'], ['warn', '11:20, 20 late', '11:20，迟 20'], ['no', 'No gearbox L2', '无齿轮箱 L2'], ['warn', 'Moves 1 job', '改动 1 单'], ['no', 'Off shift', '班次外'], ['no', 'Rigging cert exp.', '吊装证过期']];
  return Object.fromEntries(timeline.data.lanes.map(({ id }, number) => {
    const [fits, en, zh] = verdicts[number % verdicts.length];
    return [id, { fits, text: say(zh, en) }];
  }));
}

const timeline = document.querySelector('resource-timeline');
const told = [];
for (const name of ['select', 'pick', 'over', 'drop', 'resize', 'refuse', 'cancel', 'hover', 'open']) {
  timeline.addEventListener(`timeline-${name}`, ({ detail }) => told.push([name, detail]));
}
document.querySelector('#card').addEventListener('pointerdown', event => {
  timeline.carry({ id: 'order-4127', title: say('盛源 减速机漏油', 'Shengyuan gearbox'), short: 'WO-2026-004127', durationMin: 120, tone: 'warn' }, event);
});
timeline.words = words;
timeline.data = board();
Object.assign(window, { timeline, told, at, board, days, judge });
