// One mapping of a queue, decided purely: when to receive, which messages make a batch, how many batches run at once.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html and reference/event-source-mappings.md 4.3
import MartletCore

/// All times are milliseconds since 1970; sizes are bytes.
package struct PollerStateMachine<Record: Sendable>: Sendable {
  package struct Settings: Sendable, Equatable {
    package var batchSize = 10
    /// How long a batch is waited for, from its first message on.
    package var window: Int64 = 0
    package var isFIFO = false
    /// Batches that run at once: at the start of a rush, at most, and how many more of them in a minute.
    package var floor = 5
    package var ceiling = 1250
    package var growth = 300
    /// How large an event may be, what it has besides its records, and what a record adds to itself.
    package var payload = 6 << 20
    package var frame = 14
    package var separator = 1

    package init() {}
  }

  package struct Item: Sendable {
    package let record: Record
    package let size: Int
    package let group: String?
    /// When it was received.
    package let received: Int64

    package init(record: Record, size: Int, group: String? = nil, received: Int64) {
      self.record = record
      self.size = size
      self.group = group
      self.received = received
    }
  }

  package struct Batch: Sendable {
    package let number: Int
    package fileprivate(set) var items: [Item]
    /// Of a FIFO queue: what was received with it, which it waits for.
    fileprivate var previous: Int?
    fileprivate var refusals = 0
  }

  package enum Action: Sendable {
    /// Ask the queue for no more than `count` messages.
    case receive(receiver: Int, count: Int)
    /// Whoever waits for messages need not any more.
    case cancelReceives
    case invoke(Batch)
    /// Let others have these at once.
    case giveBack([Item])
    /// Nothing is under way any more, and nothing will be.
    case stopped
  }

  /// What came of a batch.
  package enum Outcome: Sendable {
    /// The function ran and is content, but for messages of these groups, and for `failed`.
    case succeeded(failedGroups: Set<String>)
    /// What the function says is that it failed. Its messages come back when their time is over.
    case failed
    /// It could not run now. It is tried again as long as its messages are hidden.
    case refused(visibility: Int64)
  }

  package private(set) var settings: Settings
  private var receivers: [Int: Int] = [:]
  private var lastNumber = 0
  /// Receives that may wait at once, as long as they find something.
  private var appetite = 1
  private static var mostReceives: Int { 5 }
  private static var mostPerReceive: Int { 10 }
  /// The last receive found all that it asked for.
  private var isPlenty = false

  private var open: [Item] = []
  private var openSize = 0
  private var openSince: Int64 = 0
  private var ready: [Batch] = []
  private var running: [Int: Batch] = [:]
  private var refused: [Int: (batch: Batch, due: Int64)] = [:]
  /// Of batches that others wait for: the groups that must not go on.
  private var failedGroups: [Int: Set<String>] = [:]

  /// Batches that may run at once, which changes by the second.
  private var allowed: Double
  private var scaled: Int64
  private var isSaturated = false

  private var failures = 0
  private var pausedUntil: Int64?
  /// What it needs is not there.
  private var isHeld = false
  private var isStopping = false
  private var hasStopped = false

  package init(_ settings: Settings, now: Int64) {
    self.settings = settings
    allowed = Double(min(settings.floor, settings.ceiling))
    scaled = now
  }

  // MARK: - Counts

  /// Batches that run, or will as soon as there is room for them.
  package var occupied: Int { running.count + refused.count }
  package var runningCount: Int { running.count }
  package var concurrency: Int { Int(allowed) }
  package var waitingReceives: Int { receivers.count }
  package var held: Int {
    open.count + ready.reduce(0) { $0 + $1.items.count } + refused.values.reduce(0) { $0 + $1.batch.items.count }
  }

  // MARK: - What comes in

  package mutating func pass(now: Int64, _ actions: inout [Action]) { work(now, &actions) }

  package mutating func configure(_ settings: Settings, now: Int64, _ actions: inout [Action]) {
    self.settings = settings
    allowed = min(max(allowed, Double(settings.floor)), Double(settings.ceiling))
    work(now, &actions)
  }

  /// - Parameters:
  ///   - found: how many messages there were.
  ///   - items: those of them that are for the function.
  package mutating func received(
    _ receiver: Int, found: Int, _ items: [Item], now: Int64, _ actions: inout [Action]
  ) {
    let asked = receivers.removeValue(forKey: receiver) ?? 0
    failures = 0
    isPlenty = found > 0 && found >= asked
    appetite = isPlenty ? min(appetite + 1, Self.mostReceives) : 1
    if open.isEmpty, !items.isEmpty { openSince = now }
    for item in items { add(item) }
    if settings.isFIFO || settings.window == 0 { close() }
    work(now, &actions)
  }

  /// - Parameter isMissing: the queue is not there; somebody will say `resume` when it is.
  package mutating func receiveFailed(_ receiver: Int, isMissing: Bool, now: Int64, _ actions: inout [Action]) {
    receivers[receiver] = nil
    appetite = 1
    if isMissing { isHeld = true } else { pausedUntil = now + Self.backOff(failures, from: 1000, to: 60_000) }
    failures += 1
    work(now, &actions)
  }

  package mutating func ended(_ number: Int, _ outcome: Outcome, now: Int64, _ actions: inout [Action]) {
    guard var batch = running.removeValue(forKey: number) else { return }
    // What follows is judged by the load before this batch ended.
    scale(now)
    switch outcome {
    case .succeeded(let groups): leave(batch, groups, &actions)
    case .failed:
      allowed = max(min(2, allowed), allowed - 1)
      leave(batch, batch.groups, &actions)
    case .refused(let visibility):
      allowed = max(min(2, allowed), min(allowed, Double(running.count)))
      let due = now + Self.backOff(batch.refusals, from: 100, to: 10_000)
      let end = (batch.items.first?.received ?? now) + visibility
      batch.refusals += 1
      if due < end, !isStopping { refused[number] = (batch, due) } else { leave(batch, batch.groups, &actions) }
    }
    work(now, &actions)
  }

  /// No messages are wanted until `resume`.
  package mutating func hold() { isHeld = true }

  package mutating func resume(now: Int64, _ actions: inout [Action]) {
    isHeld = false
    pausedUntil = nil
    failures = 0
    work(now, &actions)
  }

  /// Nothing begins any more. What runs is waited for; the rest goes back to the queue.
  package mutating func stop(now: Int64, _ actions: inout [Action]) {
    guard !isStopping else { return }
    isStopping = true
    let rest = open + ready.flatMap(\.items) + refused.values.flatMap(\.batch.items)
    (open, openSize, ready, refused) = ([], 0, [], [:])
    if !rest.isEmpty { actions.append(.giveBack(rest)) }
    actions.append(.cancelReceives)
    work(now, &actions)
  }

  // MARK: - Batches

  private mutating func add(_ item: Item) {
    let size = item.size + settings.separator
    if !open.isEmpty, openSize + size > settings.payload - settings.frame || open.count >= settings.batchSize {
      close()
      openSince = item.received
    }
    open.append(item)
    openSize += size
  }

  private mutating func close() {
    guard !open.isEmpty else { return }
    lastNumber += 1
    var batch = Batch(number: lastNumber, items: open)
    // What was received together, or after it, keeps its order.
    if settings.isFIFO { batch.previous = ready.last?.number }
    ready.append(batch)
    (open, openSize) = ([], 0)
  }

  /// A batch is over; those that wait for it go on without the groups whose order would be broken.
  private mutating func leave(_ batch: Batch, _ failed: Set<String>, _ actions: inout [Action]) {
    guard settings.isFIFO else { return }
    for i in ready.indices where ready[i].previous == batch.number {
      ready[i].previous = nil
      let stopped = failed.union(failedGroups.removeValue(forKey: batch.number) ?? [])
      let (out, rest) = (
        ready[i].items.filter { $0.group.map(stopped.contains) == true },
        ready[i].items.filter { $0.group.map(stopped.contains) != true }
      )
      if !stopped.isEmpty { failedGroups[ready[i].number, default: []].formUnion(stopped) }
      guard !out.isEmpty else { continue }
      actions.append(.giveBack(out))
      ready[i].items = rest
    }
    let empty = ready.filter(\.items.isEmpty)
    ready.removeAll(where: \.items.isEmpty)
    for batch in empty { leave(batch, [], &actions) }
    failedGroups[batch.number] = nil
  }

  // MARK: - Deciding

  private mutating func work(_ now: Int64, _ actions: inout [Action]) {
    scale(now)
    if isStopping {
      // What comes in late goes back as well.
      close()
      let rest = ready.flatMap(\.items)
      ready = []
      if !rest.isEmpty { actions.append(.giveBack(rest)) }
      if running.isEmpty, receivers.isEmpty, !hasStopped {
        hasStopped = true
        actions.append(.stopped)
      }
      return
    }
    for (number, waiting) in refused.sorted(by: { $0.key < $1.key }) where waiting.due <= now {
      refused[number] = nil
      run(waiting.batch, &actions)
    }
    if open.count >= settings.batchSize || !open.isEmpty && now >= openSince + settings.window { close() }
    while occupied < Int(allowed), let next = ready.firstIndex(where: { $0.previous == nil }) {
      run(ready.remove(at: next), &actions)
    }
    if let pausedUntil, pausedUntil <= now { self.pausedUntil = nil }
    if !isHeld, pausedUntil == nil { receive(&actions) }
    isSaturated = isPlenty && occupied >= Int(allowed)
  }

  private mutating func run(_ batch: Batch, _ actions: inout [Action]) {
    running[batch.number] = batch
    actions.append(.invoke(batch))
  }

  /// Whatever is received has a place where it can run, or one in the batch that is being gathered.
  private mutating func receive(_ actions: inout [Action]) {
    let places = Int(allowed) - occupied - ready.count
    guard places > 0 else { return }
    let gathers = !settings.isFIFO && settings.window > 0
    while receivers.count < min(appetite, gathers ? Self.mostReceives : places) {
      let asked = gathers ? open.count + receivers.values.reduce(0, +) : 0
      let count = min(settings.batchSize - asked, Self.mostPerReceive)
      guard count > 0 else { return }
      lastNumber += 1
      receivers[lastNumber] = count
      actions.append(.receive(receiver: lastNumber, count: count))
    }
  }

  /// More batches at once while there is more to do than they can; fewer when there is not.
  private mutating func scale(_ now: Int64) {
    let step = Double(settings.growth) * Double(max(0, now - scaled)) / 60_000
    scaled = max(scaled, now)
    let (floor, ceiling) = (Double(min(settings.floor, settings.ceiling)), Double(settings.ceiling))
    if isSaturated, refused.isEmpty {
      allowed = min(ceiling, allowed + step)
    } else if !isPlenty || occupied == 0 {
      allowed = allowed > floor ? max(floor, allowed - step) : min(floor, allowed + step)
    }
  }

  /// When to call `pass`, if nothing else happens before.
  package func nextWake(now: Int64) -> Int64? {
    guard !isStopping else { return nil }
    var wakes = refused.values.map(\.due)
    if !open.isEmpty { wakes.append(openSince + settings.window) }
    if !isHeld, let pausedUntil { wakes.append(pausedUntil) }
    if isSaturated, refused.isEmpty, Int(allowed) < settings.ceiling {
      let missing = Double(Int(allowed) + 1) - allowed
      wakes.append(scaled + Int64((missing * 60_000 / Double(settings.growth)).rounded(.up)))
    }
    return wakes.min().map { max($0, now + 1) }
  }

  private static func backOff(_ count: Int, from first: Int64, to last: Int64) -> Int64 {
    min(last, first << Int64(min(count, 20)))
  }
}

extension PollerStateMachine.Batch {
  fileprivate var groups: Set<String> { Set(items.compactMap(\.group)) }
}
