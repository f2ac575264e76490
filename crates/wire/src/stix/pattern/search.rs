//! Finds observations that fit a pattern together. Pure.
//!
//! Every observation expression needs observations of its own, as often as each was seen. Which
//! go where is a flow in a two-sided graph; the qualifiers and `FOLLOWEDBY` only narrow the times
//! that fit, once the one instant each turns on is chosen. So the search chooses instants and
//! alternatives, and lets the flow do the rest; copies of one expression choose in order, since
//! exchanging them changes nothing.
//! LIMIT: [`STEPS_MAX`] looks at an observation; a question that takes more is refused, never
//! answered wrongly.

use super::compile::Ready;
use super::observe::Observation;
use std::collections::{BTreeMap, BTreeSet};

/// LIMIT: looks at an observation before a search is given up.
pub const STEPS_MAX: u64 = 50_000_000;
/// LIMIT: choices within choices.
const CHOICES_MAX: usize = 400;

/// LIMIT: copies of one set of alternatives.
const COPIES_MAX: u64 = 10_000;

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SearchProblem {
    /// More than `STEPS_MAX`.
    #[error("matching takes more than {STEPS_MAX} looks at observations")]
    Steps,
    /// More than the limit of choices within choices.
    #[error("matching takes more than {CHOICES_MAX} choices within choices")]
    Choices,
}

impl SearchProblem {
    /// How to cure it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        "match fewer observations, for instance one day, or split the pattern"
    }
}

/// One observation bound to one observation expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The observation expression, counted from 0 as they stand in the pattern.
    pub part: usize,
    /// The observation expression in one spelling.
    pub expression: String,
    /// The observed-data.
    pub observation: String,
    /// How many of the times it was seen are taken.
    pub times: u64,
    /// The observables in it that answer.
    pub objects: Vec<String>,
}

/// A pattern that matches: what is bound to what, in the order of the pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Never empty.
    pub bindings: Vec<Binding>,
}

impl Match {
    /// The observed-data that are bound, each once.
    #[must_use]
    pub fn observed(&self) -> BTreeSet<&str> {
        self.bindings.iter().map(|binding| binding.observation.as_str()).collect()
    }
}

/// Searches for one way to bind the pattern.
pub(super) fn find(
    root: &Ready,
    observations: &[Observation<'_>],
) -> Result<Option<Match>, SearchProblem> {
    let mut parts = 0;
    let mut leaves = Vec::new();
    let plan = plan(root, observations, &mut parts, &mut leaves);
    let capacity: Vec<u64> = observations.iter().map(|o| o.count).collect();
    let mut search = Search { leaves: &leaves, capacity: &capacity, steps: 0, depth: 0 };
    let todo = vec![Task { plan: &plan, window: Window::ALL, times: 1, from: i64::MIN }];
    let Some(state) = search.solve(todo, State::default())? else { return Ok(None) };
    let mut bindings = Vec::new();
    for demand in &state.demands {
        let candidates = leaves.get(demand.leaf).map(|leaf| &leaf.answers);
        for (observation, times) in demand.given.iter().filter(|(_, times)| **times > 0) {
            let answer = candidates.and_then(|answers| answers.get(observation));
            let Some((answer, seen)) = answer.zip(observations.get(*observation)) else { continue };
            bindings.push(Binding {
                part: answer.part,
                expression: answer.expression.clone(),
                observation: seen.id.clone(),
                times: *times,
                objects: answer.objects.clone(),
            });
        }
    }
    bindings.sort_by_key(|binding| binding.part);
    Ok(Some(Match { bindings }))
}

/// Times that fit: seen first at the latest then, seen last at the earliest then.
#[derive(Debug, Clone, Copy)]
struct Window {
    first_max: i64,
    last_min: i64,
}

impl Window {
    const ALL: Self = Self { first_max: i64::MAX, last_min: i64::MIN };

    fn narrowed(self, first_max: i64, last_min: i64) -> Self {
        Self { first_max: self.first_max.min(first_max), last_min: self.last_min.max(last_min) }
    }
}

/// What answers an observation expression.
struct Leaf {
    answers: BTreeMap<usize, Answer>,
    /// Sorted by when they were seen last.
    times: Vec<Seen>,
    /// The longest any of them lasted.
    length: i64,
}

struct Answer {
    part: usize,
    expression: String,
    objects: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    first: i64,
    last: i64,
    observation: usize,
}

impl Leaf {
    fn new(answers: BTreeMap<usize, Answer>, observations: &[Observation<'_>]) -> Self {
        let seen = |index: &usize| {
            let observation = observations.get(*index)?;
            let (first, last) = (observation.first.micros(), observation.last.micros());
            Some(Seen { first, last, observation: *index })
        };
        let mut times: Vec<Seen> = answers.keys().filter_map(seen).collect();
        times.sort_by_key(|seen| (seen.last, seen.first));
        let lengths = times.iter().map(|seen| seen.last.saturating_sub(seen.first));
        let length = lengths.max().unwrap_or(0);
        Self { answers, times, length }
    }

    /// Those in the window; no more are looked at than could be in it.
    fn within(&self, window: Window) -> impl Iterator<Item = Seen> + '_ {
        let start = self.times.partition_point(|seen| seen.last < window.last_min);
        let could = move |seen: &&Seen| seen.last.saturating_sub(self.length) <= window.first_max;
        let rest = self.times.get(start..).unwrap_or_default();
        let fits = move |seen: &&Seen| seen.first <= window.first_max;
        rest.iter().take_while(could).filter(fits).copied()
    }
}

/// The pattern with its observation expressions answered.
enum Plan {
    Leaf(usize),
    And(Vec<Plan>),
    Or(Vec<Plan>),
    /// All of the first before all of the second.
    FollowedBy(Box<(Plan, Plan)>),
    Within(Box<Plan>, i64),
    Repeats(Box<Plan>, u64),
    StartStop(Box<Plan>, Window),
}

/// Answers every observation expression; alternatives that are plain become one.
fn plan(
    ready: &Ready,
    observations: &[Observation<'_>],
    parts: &mut usize,
    leaves: &mut Vec<Leaf>,
) -> Plan {
    let mut all = |nodes: &[Ready], leaves: &mut Vec<Leaf>| -> Vec<Plan> {
        nodes.iter().map(|node| plan(node, observations, parts, leaves)).collect()
    };
    match ready {
        Ready::And(nodes) => Plan::And(all(nodes, leaves)),
        Ready::FollowedBy(nodes) => {
            let mut plans = all(nodes, leaves).into_iter();
            let first = plans.next().unwrap_or_else(|| Plan::And(Vec::new()));
            plans.fold(first, |left, right| Plan::FollowedBy(Box::new((left, right))))
        }
        Ready::Simple(..) => {
            let answers = answers(ready, observations, parts);
            leaf(Leaf::new(answers, observations), leaves)
        }
        Ready::Or(nodes) => {
            let (mut plain, mut alternatives) = (BTreeMap::new(), Vec::new());
            for node in nodes {
                if let Ready::Simple(..) = node {
                    for (index, answer) in answers(node, observations, parts) {
                        plain.entry(index).or_insert(answer);
                    }
                } else {
                    alternatives.push(plan(node, observations, parts, leaves));
                }
            }
            alternatives.insert(0, leaf(Leaf::new(plain, observations), leaves));
            Plan::Or(alternatives)
        }
        Ready::Within(inner, length) => {
            Plan::Within(Box::new(plan(inner, observations, parts, leaves)), *length)
        }
        Ready::Repeats(inner, times) => {
            Plan::Repeats(Box::new(plan(inner, observations, parts, leaves)), *times)
        }
        Ready::StartStop(inner, start, stop) => {
            let inner = Box::new(plan(inner, observations, parts, leaves));
            // Before `stop` is one microsecond earlier at the latest. From STOP to START is never.
            let first_max = stop.micros().saturating_sub(1);
            let window = if start < stop {
                Window { first_max, last_min: start.micros() }
            } else {
                Window { first_max: i64::MIN, last_min: i64::MAX }
            };
            Plan::StartStop(inner, window)
        }
    }
}

fn leaf(leaf: Leaf, leaves: &mut Vec<Leaf>) -> Plan {
    leaves.push(leaf);
    Plan::Leaf(leaves.len().saturating_sub(1))
}

fn answers(
    ready: &Ready,
    observations: &[Observation<'_>],
    parts: &mut usize,
) -> BTreeMap<usize, Answer> {
    let mut answers = BTreeMap::new();
    let Ready::Simple(question, expression) = ready else { return answers };
    let part = *parts;
    *parts = part.saturating_add(1);
    for (index, observation) in observations.iter().enumerate() {
        let objects = question.answered(observation);
        if !objects.is_empty() {
            let objects = objects.into_iter().map(str::to_owned).collect();
            answers.insert(index, Answer { part, expression: expression.clone(), objects });
        }
    }
    answers
}

/// Something still to be satisfied, as often as `times`, by instants not before `from`.
#[derive(Clone, Copy)]
struct Task<'p> {
    plan: &'p Plan,
    window: Window,
    times: u64,
    from: i64,
}

/// Observations given to one expression.
#[derive(Debug, Clone)]
struct Demand {
    leaf: usize,
    window: Window,
    given: BTreeMap<usize, u64>,
}

/// What is given so far.
#[derive(Debug, Clone, Default)]
struct State {
    demands: Vec<Demand>,
    used: BTreeMap<usize, u64>,
}

struct Search<'s> {
    leaves: &'s [Leaf],
    capacity: &'s [u64],
    steps: u64,
    depth: usize,
}

type Solved = Result<Option<State>, SearchProblem>;

impl<'p> Search<'p> {
    fn step(&mut self) -> Result<(), SearchProblem> {
        self.steps = self.steps.saturating_add(1);
        if self.steps > STEPS_MAX { Err(SearchProblem::Steps) } else { Ok(()) }
    }

    /// Satisfies everything that is left; choices are tried in turn.
    fn solve(&mut self, mut todo: Vec<Task<'p>>, mut state: State) -> Solved {
        while let Some(task) = todo.pop() {
            self.step()?;
            if task.times == 0 {
                continue;
            }
            match task.plan {
                Plan::Leaf(leaf) => {
                    if !self.demand(&mut state, *leaf, task)? {
                        return Ok(None);
                    }
                }
                Plan::And(parts) => {
                    todo.extend(parts.iter().rev().map(|plan| Task { plan, ..task }));
                }
                Plan::Repeats(plan, times) => {
                    // More than there are of everything is as good as endless.
                    let times = task.times.saturating_mul(*times);
                    todo.push(Task { plan, times, from: i64::MIN, ..task });
                }
                Plan::StartStop(plan, window) => {
                    let window = task.window.narrowed(window.first_max, window.last_min);
                    todo.push(Task { plan, window, from: i64::MIN, ..task });
                }
                Plan::Or(parts) => return self.any_of(parts, task, &todo, &state),
                Plan::Within(inner, length) => {
                    return self.together((inner, *length), task, &todo, &state);
                }
                Plan::FollowedBy(both) => return self.in_order(both, task, &todo, &state),
            }
        }
        Ok(Some(state))
    }

    fn choose(&mut self, todo: &[Task<'p>], more: &[Task<'p>], state: &State) -> Solved {
        self.depth = self.depth.saturating_add(1);
        if self.depth > CHOICES_MAX {
            return Err(SearchProblem::Choices);
        }
        let solved = self.solve([todo, more].concat(), state.clone());
        self.depth = self.depth.saturating_sub(1);
        solved
    }

    /// Alternatives: for several copies, how many take the first one, and so on.
    fn any_of(
        &mut self,
        parts: &'p [Plan],
        task: Task<'p>,
        todo: &[Task<'p>],
        state: &State,
    ) -> Solved {
        let mut open = vec![(parts, task.times, Vec::new())];
        while let Some((parts, times, taken)) = open.pop() {
            self.step()?;
            let Some((first, rest)) = parts.split_first() else { continue };
            let with = |times: u64| {
                let mut taken: Vec<Task<'p>> = taken.clone();
                taken.push(Task { plan: first, times, from: i64::MIN, ..task });
                taken
            };
            // Ever fewer copies take the first one, so that what is plain is tried before.
            let fewer = if rest.is_empty() { 0 } else { times };
            if fewer > COPIES_MAX {
                return Err(SearchProblem::Choices);
            }
            for count in 0..fewer {
                self.step()?;
                open.push((rest, times.saturating_sub(count), with(count)));
            }
            if let Some(solved) = self.choose(todo, &with(times), state)? {
                return Ok(Some(solved));
            }
        }
        Ok(None)
    }

    /// `WITHIN`: the earliest end of all is chosen; everything touches what follows it.
    fn together(
        &mut self,
        (inner, length): (&'p Plan, i64),
        task: Task<'p>,
        todo: &[Task<'p>],
        state: &State,
    ) -> Solved {
        let mut ends = BTreeSet::new();
        self.instants(inner, task.window, &mut |seen| ends.insert(seen.last))?;
        for end in ends.range(task.from..) {
            let window = task.window.narrowed(end.saturating_add(length), *end);
            let times = task.times.saturating_sub(1);
            let more = Task { times, from: *end, ..task };
            let this = Task { plan: inner, window, times: 1, from: i64::MIN };
            if let Some(solved) = self.choose(todo, &[more, this], state)? {
                return Ok(Some(solved));
            }
        }
        Ok(None)
    }

    /// `FOLLOWEDBY`: the latest beginning on the left is chosen; the right ends no earlier.
    fn in_order(
        &mut self,
        (left, right): &'p (Plan, Plan),
        task: Task<'p>,
        todo: &[Task<'p>],
        state: &State,
    ) -> Solved {
        let mut begins = BTreeSet::new();
        self.instants(left, task.window, &mut |seen| begins.insert(seen.first))?;
        for begin in begins.range(task.from..) {
            let one = Task { times: 1, from: i64::MIN, ..task };
            let more = Task { times: task.times.saturating_sub(1), from: *begin, ..task };
            let after = task.window.narrowed(i64::MAX, *begin);
            let before = task.window.narrowed(*begin, i64::MIN);
            let tasks = [
                more,
                Task { plan: left, window: before, ..one },
                Task { plan: right, window: after, ..one },
            ];
            if let Some(solved) = self.choose(todo, &tasks, state)? {
                return Ok(Some(solved));
            }
        }
        Ok(None)
    }

    /// Visits every observation that could answer something below.
    fn instants(
        &mut self,
        plan: &'p Plan,
        window: Window,
        visit: &mut dyn FnMut(Seen) -> bool,
    ) -> Result<(), SearchProblem> {
        match plan {
            Plan::Leaf(leaf) => {
                let Some(leaf) = self.leaves.get(*leaf) else { return Ok(()) };
                for seen in leaf.within(window) {
                    self.step()?;
                    visit(seen);
                }
                Ok(())
            }
            Plan::And(parts) | Plan::Or(parts) => {
                parts.iter().try_for_each(|part| self.instants(part, window, visit))
            }
            Plan::FollowedBy(both) => {
                self.instants(&both.0, window, visit)?;
                self.instants(&both.1, window, visit)
            }
            Plan::Within(inner, _) | Plan::Repeats(inner, _) => self.instants(inner, window, visit),
            Plan::StartStop(inner, own) => {
                let window = window.narrowed(own.first_max, own.last_min);
                self.instants(inner, window, visit)
            }
        }
    }

    /// Gives an expression what it needs, moving what others were given where that helps.
    fn demand(
        &mut self,
        state: &mut State,
        leaf: usize,
        task: Task<'p>,
    ) -> Result<bool, SearchProblem> {
        let own = state.demands.len();
        state.demands.push(Demand { leaf, window: task.window, given: BTreeMap::new() });
        let mut need = task.times;
        while need > 0 {
            let Some(path) = self.path(state, own)? else { return Ok(false) };
            need = need.saturating_sub(self.push(state, &path, need));
        }
        Ok(true)
    }

    /// A way from an expression to an observation with room: (expression, observation) by turns.
    fn path(
        &mut self,
        state: &State,
        own: usize,
    ) -> Result<Option<Vec<(usize, usize)>>, SearchProblem> {
        let mut came: BTreeMap<usize, (usize, Option<usize>)> = BTreeMap::new();
        let mut queue = std::collections::VecDeque::from([(own, None)]);
        let mut asked = BTreeSet::from([own]);
        while let Some((asker, through)) = queue.pop_front() {
            let Some(demand) = state.demands.get(asker) else { continue };
            let Some(leaf) = self.leaves.get(demand.leaf) else { continue };
            for seen in leaf.within(demand.window) {
                self.step()?;
                let observation = seen.observation;
                if came.contains_key(&observation) {
                    continue;
                }
                came.insert(observation, (asker, through));
                if self.room(state, observation) > 0 {
                    return Ok(Some(walk_back(&came, observation)));
                }
                for (index, other) in state.demands.iter().enumerate() {
                    let has = other.given.get(&observation).is_some_and(|times| *times > 0);
                    if has && asked.insert(index) {
                        queue.push_back((index, Some(observation)));
                    }
                }
            }
        }
        Ok(None)
    }

    fn room(&self, state: &State, observation: usize) -> u64 {
        let capacity = self.capacity.get(observation).copied().unwrap_or(0);
        capacity.saturating_sub(state.used.get(&observation).copied().unwrap_or(0))
    }

    /// Moves as much along the path as it carries; says how much.
    fn push(&self, state: &mut State, path: &[(usize, usize)], need: u64) -> u64 {
        let Some((_, end)) = path.last() else { return need };
        let mut amount = need.min(self.room(state, *end));
        // Each expression after the first gives up the observation the one before it takes.
        for ((_, taken), (giver, _)) in path.iter().zip(path.iter().skip(1)) {
            let given = state.demands.get(*giver).and_then(|d| d.given.get(taken));
            amount = amount.min(given.copied().unwrap_or(0));
        }
        for ((_, taken), (giver, _)) in path.iter().zip(path.iter().skip(1)) {
            if let Some(given) = state.demands.get_mut(*giver).and_then(|d| d.given.get_mut(taken))
            {
                *given = given.saturating_sub(amount);
            }
        }
        for (taker, taken) in path {
            if let Some(demand) = state.demands.get_mut(*taker) {
                let given = demand.given.entry(*taken).or_default();
                *given = given.saturating_add(amount);
            }
        }
        let used = state.used.entry(*end).or_default();
        *used = used.saturating_add(amount);
        amount
    }
}

/// The path to an observation, from its beginning.
fn walk_back(came: &BTreeMap<usize, (usize, Option<usize>)>, end: usize) -> Vec<(usize, usize)> {
    let mut path = Vec::new();
    let mut at = Some(end);
    while let Some(observation) = at {
        let Some((asker, through)) = came.get(&observation) else { break };
        path.push((*asker, observation));
        at = *through;
    }
    path.reverse();
    path
}
