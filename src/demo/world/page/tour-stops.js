/** What happens and why, each stop at the part of the page it is about. `is`: whether its moment has come. */
export const stops = [
  {
    target: 'traffic',
    title: 'A model at work',
    is: ({ moment }) => moment === 'starting' || moment === 'serving',
    text: ({ stable }) =>
      `Users’ payments go through a router to ${stable}, which scores every one of them. This is real traffic on your machine: every mark stands for requests that were sent and answered.`,
  },
  {
    target: 'road',
    title: 'A new version, a little at a time',
    is: ({ moment, road }) => moment === 'rolling-out' && !hasPassed(road),
    text: ({ candidate }) =>
      `${candidate} first gets a small share. At each step Lastgood waits, compares, and goes on only where the gate passes. Automation never raises the share any other way.`,
  },
  {
    target: 'lines',
    title: 'Compared with the version beside it',
    is: ({ moment, road }) => moment === 'rolling-out' && hasPassed(road),
    text: ({ stable, candidate }) =>
      `The solid line is ${stable}, the dashed one ${candidate}, at the same moment and under the same load. What counts is the difference between them, not a fixed threshold.`,
  },
  {
    target: 'now',
    title: 'It got worse: people are asked first',
    is: ({ moment }) => moment === 'asked',
    text: () =>
      'A card in the channel asks what to do, and a clock runs. Press a button on the card, or let it run out: then the policy’s default happens, a rollback. Until then the share stays where it is.',
  },
  {
    target: 'signals',
    title: 'Nobody answered yet: somebody is paged',
    is: ({ moment }) => moment === 'paged',
    text: () =>
      'After a while without an answer PagerDuty is called, with what is wrong and how to answer. The question in the channel stays open, and its clock goes on.',
  },
  {
    target: 'road',
    title: 'Back in phases, not in one jump',
    is: ({ moment }) => moment === 'rolling-back' || moment === 'verifying',
    text: ({ stable }) =>
      `The share goes down step by step, so that ${stable} can take the load again. If ${stable} got worse under it, the way back would stop and a person would be called.`,
  },
  {
    target: 'journal',
    title: 'How it ended, and why',
    is: ({ moment }) => ['rolled-back', 'held', 'succeeded'].includes(moment),
    text: ({ moment, stable }) =>
      `${ends[moment] ?? ends.other(stable)} Who decided what, when and on which numbers is in the journal. Now it is yours: start the next version and break it, with the buttons below or the keys 1 to 6.`,
  },
];

const ends = {
  held: 'It is held where it is: nothing moves until a person says so, or the hold ends.',
  succeeded: 'The new version has all traffic: that was a decision, too.',
  other: (stable) => `All traffic goes to ${stable} again, and that was verified.`,
};

function hasPassed(road) {
  return road.some(({ direction, state }) => direction === 'forward' && state === 'done');
}
