// Words of outage drills. They come with the place that shows them, and not with the first load.
import { useTranslation } from 'react-i18next';
import type { DrillFunction, DrillVerdict, DrillWhy } from '../model';
import type { Shape } from '../text/shape';

const functions: Record<DrillFunction, string> = {
  incoming: 'Calls in', waiting: 'Waiting and answering', outgoing: 'Calls out', recording: 'Recordings', records: 'Records of contacts', phones: 'Phones', lines: 'Lines',
  help: 'Calls for help', disk: 'Disk', certificate: 'Certificate', trunk_names: 'Names of lines', overflow: 'Help of other branches', centre: 'Sight of the centre', delivery: 'Catching up',
};
const promises: Record<DrillFunction, string> = {
  incoming: 'No caller is lost by a fault of the box.', waiting: 'As many callers reach somebody as before, and as soon.', outgoing: 'Calls out find a line.', recording: 'Whatever is to be recorded is.',
  records: 'Every contact that is over has its record.', phones: 'Phones that were registered still are.', lines: 'Lines that were up still are.', help: 'A call for help could go out.',
  disk: 'There is room for a day and more.', certificate: 'The certificate lasts for a day and more.', trunk_names: 'Lines that are known by name are found for a day and more.',
  overflow: 'There is none without the cloud.', centre: 'It sees nothing until the link is back.', delivery: 'The link is back in two minutes, and what waited is delivered in ten.',
};
const verdicts: Record<DrillVerdict, string> = { kept: 'Kept', less: 'Less, as promised', broken: 'Broken', unasked: 'Not asked for', withheld: 'Known at the branch alone', unread: 'Could not be read' };
const why: Record<DrillWhy, string> = { deadline: 'It ran to its end.', person: 'Somebody at the branch ended it.', emergency: 'It ended at once: somebody called for help.', callers: 'It ended at once: far fewer callers reached somebody.', disk: 'It ended at once: the disk was nearly full.',
  not_run_emergency: 'It did not run: a call for help was open.', not_run_notice: 'It did not run: something still waited to be told to the centre.', not_run_disk: 'It did not run: the disk was nearly full.', not_run_overflow: 'It did not run: calls between branches were up.',
  not_run_another: 'It did not run: the one before was not reported yet.', not_run_late: 'It did not run: the branch heard of it when its time was over.',
};

const en = {
  title: 'Outage drills',
  note: 'The box cuts its own link to the cloud for a while, goes on serving, and says afterwards what the branch had of what it is promised.',
  order: 'Order a drill',
  branch: 'Branch',
  when: 'When',
  now: 'At once',
  later: 'At a time',
  at: 'Begins',
  minutes: 'Lasts, in minutes',
  minutesNote: '1 to 480. A call for help or anybody at the branch ends it at once.',
  confirm: 'Order it',
  ordered: 'Ordered',
  orderedFor: 'Begins {at}, lasts {minutes} min',
  running: 'Cut off until {at}',
  ends: 'It ends at the branch, or at its time.',
  callOff: 'Call it off',
  end: 'End it now',
  none: 'No drill is ordered',
  noReports: 'No drill has run yet',
  noReportsText: 'Order one at a quiet hour: what breaks then breaks in front of you, and not of your callers.',
  reports: 'What came of them',
  passed: 'Passed',
  failed: 'Not passed',
  notKnown: 'Not known',
  notRun: 'Ordered for {at}',
  ran: 'Cut off for {minutes} min from {at}',
  joined: 'Link back after',
  delivered: 'Caught up after',
  never: 'not within the hour',
  seconds: '{count} s',
  rows: 'Rows that waited',
  complete: 'Intervals at the centre',
  whole: 'complete',
  gaps: 'some are missing',
  figures: 'Figures at the centre',
  equal: 'the same as at the branch',
  differ: 'other than at the branch',
  function: 'Function',
  promise: 'Promise',
  fact: 'Fact',
  calls: 'Calls',
  before: 'As long before',
  during: 'Meanwhile',
  offered: 'Queued',
  answered: 'Answered',
  abandoned: 'Abandoned',
  wait: 'Mean wait',
  recorded: 'Recorded',
  shortest: 'Would end first',
  show: 'Show each function',
  hide: 'Hide the functions',
  functions, promises, verdicts, why,
};

const zh: Shape<typeof en> = {
  title: '断网演练',
  note: '本机在一段时间内自行切断与云端的连接并继续服务，之后报告网点是否得到了承诺的各项功能。',
  order: '安排演练',
  branch: '网点',
  when: '时间',
  now: '立即',
  later: '定时',
  at: '开始',
  minutes: '时长（分钟）',
  minutesNote: '1 到 480。紧急呼叫或网点任何主管都可立即结束。',
  confirm: '确认安排',
  ordered: '已安排',
  orderedFor: '{at} 开始，持续 {minutes} 分钟',
  running: '断网至 {at}',
  ends: '只能在网点结束，或到时自动结束。',
  callOff: '取消',
  end: '立即结束',
  none: '没有安排演练',
  noReports: '尚未进行过演练',
  noReportsText: '请在清闲时段安排一次：问题会在您眼前出现，而不是在来电者面前。',
  reports: '演练结果',
  passed: '通过',
  failed: '未通过',
  notKnown: '无法判断',
  notRun: '原定 {at}',
  ran: '自 {at} 起断网 {minutes} 分钟',
  joined: '恢复连接用时',
  delivered: '补传完成用时',
  never: '一小时内未完成',
  seconds: '{count} 秒',
  rows: '等待上传的行',
  complete: '中心的时段数据',
  whole: '完整',
  gaps: '有缺失',
  figures: '中心的数字',
  equal: '与网点一致',
  differ: '与网点不一致',
  function: '功能',
  promise: '承诺',
  fact: '实际',
  calls: '通话',
  before: '之前同样时长',
  during: '演练期间',
  offered: '进入队列',
  answered: '已接听',
  abandoned: '放弃',
  wait: '平均等待',
  recorded: '已录音',
  shortest: '最先到期',
  show: '显示各项功能',
  hide: '收起各项功能',
  functions: {
    incoming: '呼入', waiting: '等待与接听', outgoing: '呼出', recording: '录音', records: '联络记录', phones: '话机', lines: '线路',
    help: '紧急呼叫', disk: '磁盘', certificate: '证书', trunk_names: '线路名称', overflow: '其他网点支援', centre: '中心可见', delivery: '补传',
  },
  promises: {
    incoming: '没有来电因本机故障而丢失。', waiting: '接听人数与速度不低于之前。', outgoing: '呼出能找到线路。', recording: '应录音的都已录音。',
    records: '每个已结束的联络都有记录。', phones: '已注册的话机仍然注册。', lines: '可用的线路仍然可用。', help: '紧急呼叫可以呼出。',
    disk: '空间至少够用一天。', certificate: '证书至少还有一天有效。', trunk_names: '以名称登记的线路至少一天内可找到。',
    overflow: '断开云端时没有支援。', centre: '恢复连接前中心看不到。', delivery: '两分钟内恢复连接，十分钟内补传完成。',
  },
  verdicts: { kept: '做到', less: '按承诺减少', broken: '未做到', unasked: '未用到', withheld: '仅网点知道', unread: '无法读取' },
  why: { deadline: '按时结束。', person: '网点有人提前结束。', emergency: '因紧急呼叫立即结束。', callers: '因接通人数大幅下降立即结束。', disk: '因磁盘将满立即结束。',
    not_run_emergency: '未进行：有紧急呼叫。', not_run_notice: '未进行：还有内容等待告知中心。', not_run_disk: '未进行：磁盘将满。', not_run_overflow: '未进行：网点之间有通话。',
    not_run_another: '未进行：上一次尚未报告。', not_run_late: '未进行：网点得知时已过时间。',
  },
};

export type Words = Shape<typeof en>;

export function useWords(): Words {
  const { i18n } = useTranslation();
  return i18n.language === 'zh' ? zh : en;
}

/** `{at}` and its like, filled in. */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
