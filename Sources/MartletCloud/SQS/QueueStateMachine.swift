// One queue, decided purely: messages arrive, are received, hidden, deleted, given up; time passes. No I/O, no clock.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
import MartletCore

/// Holds the front of the queue; what is behind it lies on disk only (the tail) and is loaded page by page. All times
/// are milliseconds since 1970.
struct QueueStateMachine: Sendable {
  struct Settings: Sendable, Equatable {
    var isFIFO = false
    /// How long a message is kept.
    var retention: Int64 = 345_600_000
    /// How often a message is received before it goes to the dead-letter queue; nil = there is none.
    var maxReceives: Int?
    /// Messages that may be hidden from receivers at a time.
    var flightLimit = 120_000
    /// Messages that wait in memory; of a FIFO queue, all that are in memory.
    var window = 10_000
  }

  /// Where a message stands: by when it may first be received, then by its number.
  struct Position: Sendable, Comparable {
    let due: Int64
    let sequence: Int64

    static func < (a: Position, b: Position) -> Bool { a.due == b.due ? a.sequence < b.sequence : a.due < b.due }
  }

  /// A message that is on disk now, or was there at the start.
  struct Arrival: Sendable, Equatable {
    let sequence: Int64
    let due: Int64
    let sent: Int64
    var group: String?
    var receives = 0
    var firstReceived: Int64 = 0
    /// Hidden until then by a receive before the start.
    var hidden: Int64 = 0

    var position: Position { Position(due: due, sequence: sequence) }
  }

  struct Delivery: Sendable, Equatable {
    let sequence: Int64
    /// Tells this receive from others of the message.
    let receipt: Int64
    let receives: Int
    let firstReceived: Int64
    /// When the message can be received again.
    let until: Int64
  }

  enum Action: Sendable, Equatable {
    /// Answer a receiver: with nothing, if its time is over.
    case deliver(waiter: Int, [Delivery])
    /// Too many messages are hidden.
    case refuse(waiter: Int)
    /// Move these to the dead-letter queue, then say `left` or `stayed`.
    case deadLetter([Int64])
    /// Remove these from the disk: nobody gets them any more.
    case expire([Int64])
    /// These are known no more, but stay on disk.
    case forget([Int64])
    /// Read no more than `count` messages behind `after` (nil = from the start), then say `loaded`.
    case load(after: Position?, count: Int)
  }

  struct Waiter: Sendable {
    let id: Int
    let count: Int
    /// How long what it gets is hidden.
    let visibility: Int64
    let deadline: Int64
    /// It did not want to wait.
    let isShort: Bool
    let attempt: String?
  }

  enum Phase: Sendable, Equatable {
    case waiting
    case inFlight(until: Int64, receipt: Int64)
    /// It is being deleted, or moved to another queue.
    case leaving(wasInFlight: Bool)
  }

  struct Entry: Sendable {
    var arrival: Arrival
    var phase = Phase.waiting
    /// Where it waits: its first position, or a later one after it was received in vain.
    var position: Position
    var lastReceived: Int64 = 0
  }

  struct Flight: Sendable, Comparable {
    let until: Int64
    let sequence: Int64
    let receipt: Int64
    static func < (a: Flight, b: Flight) -> Bool { a.until == b.until ? a.sequence < b.sequence : a.until < b.until }
  }

  var settings: Settings
  var entries: [Int64: Entry] = [:]
  /// Standard queues: what was never received, in order; then what came back.
  var line = SortedLine<Position>()
  var returned = SortedLine<Position>()
  /// FIFO queues.
  var groups = MessageGroups()
  var attempts: [String: Attempt] = [:]
  var flights = Heap<Flight>()
  var inFlight = 0
  var leaving = 0
  var waiters: [Waiter] = []
  private var receipts: Int64

  /// Messages that were received too often and are on their way to the dead-letter queue.
  private var dying: Set<Int64> = []

  /// About how many messages are on disk only, all behind `cursor`.
  private(set) var tail: Int
  /// Nothing is on disk only.
  private var isWhole: Bool
  private var cursor: Position?
  private var loading: Loading?

  /// What happens while a page is being read.
  private struct Loading: Sendable {
    var arrivals: [Arrival] = []
    var gone: Set<Int64> = []
  }

  /// - Parameters:
  ///   - tail: messages on disk.
  ///   - receipts: where to begin to count receives, so that those of an earlier run are told from new ones.
  init(_ settings: Settings, tail: Int = 0, receipts: Int64 = 0) {
    self.settings = settings
    self.tail = tail
    isWhole = tail == 0
    self.receipts = receipts
  }

  // MARK: - What comes in

  mutating func arrive(_ arrival: Arrival, now: Int64, _ actions: inout [Action]) {
    admit(arrival)
    evict(&actions)
    serve(now: now, &actions)
  }

  private mutating func admit(_ arrival: Arrival) {
    // Behind what is in memory, if anything may lie between.
    guard !isWhole, cursor.map({ arrival.position <= $0 }) != true else { return insert(arrival) }
    if loading != nil { loading?.arrivals.append(arrival) } else { tail += 1 }
  }

  private mutating func insert(_ arrival: Arrival) {
    var entry = Entry(arrival: arrival, position: arrival.position)
    if arrival.hidden > 0 {
      entry.phase = .inFlight(until: arrival.hidden, receipt: Receipt.unknown)
      flights.insert(Flight(until: arrival.hidden, sequence: arrival.sequence, receipt: Receipt.unknown))
      inFlight += 1
      if let group = arrival.group { groups.lock(group) }
    }
    entries[arrival.sequence] = entry
    if entry.phase == .waiting { stand(arrival.sequence) }
  }

  /// Puts a message among those that wait.
  mutating func stand(_ sequence: Int64) {
    guard let entry = entries[sequence] else { return }
    if settings.isFIFO {
      groups.add(sequence, to: entry.arrival.group ?? "")
    } else if entry.position == entry.arrival.position {
      line.insert(entry.position)
    } else {
      returned.insert(entry.position)
    }
  }

  /// A page was read from the disk.
  /// - Parameter isEnd: nothing was behind it.
  mutating func loaded(_ page: [Arrival], isEnd: Bool, now: Int64, _ actions: inout [Action]) {
    guard let loading else { return }
    self.loading = nil
    let counted = Set(loading.arrivals.map(\.sequence))
    let last = page.last?.position ?? cursor
    for var arrival in page {
      guard entries[arrival.sequence] == nil, !loading.gone.contains(arrival.sequence) else { continue }
      if !counted.contains(arrival.sequence) { tail = max(0, tail - 1) }
      if arrival.hidden <= now { arrival.hidden = 0 }
      insert(arrival)
    }
    if isEnd { (tail, isWhole) = (0, true) }
    cursor = last
    for arrival in loading.arrivals
    where entries[arrival.sequence] == nil && !loading.gone.contains(arrival.sequence) {
      if isEnd || last.map({ arrival.position <= $0 }) == true { insert(arrival) } else { tail += 1 }
    }
    serve(now: now, &actions)
  }

  /// The page could not be read; it is asked for again when somebody comes.
  mutating func loadFailed(now: Int64, _ actions: inout [Action]) {
    if let loading { tail += loading.arrivals.count }
    loading = nil
    giveUp(now: now, &actions)
  }

  mutating func receive(_ waiter: Waiter, now: Int64, _ actions: inout [Action]) {
    if let attempt = waiter.attempt, let again = repeated(attempt, waiter, now: now) {
      actions.append(.deliver(waiter: waiter.id, again))
      return
    }
    waiters.append(waiter)
    serve(now: now, &actions)
  }

  /// The receiver is gone, or must be.
  mutating func cancel(waiter id: Int) -> Bool {
    guard let position = waiters.firstIndex(where: { $0.id == id }) else { return false }
    waiters.remove(at: position)
    return true
  }

  mutating func pass(now: Int64, _ actions: inout [Action]) { serve(now: now, &actions) }

  /// Everything is gone.
  mutating func purge() {
    entries = [:]
    line = .init()
    returned = .init()
    groups = .init()
    attempts = [:]
    flights = .init()
    dying = []
    (inFlight, leaving, tail, isWhole, cursor, loading) = (0, 0, 0, true, nil, nil)
  }

  // MARK: - What goes out

  /// A message is to leave the queue, at the request of somebody who received it.
  enum Leave: Equatable { case go, unknown, expired }

  mutating func leave(_ sequence: Int64, receipt: Int64) -> Leave {
    guard let entry = entries[sequence] else {
      loading?.gone.insert(sequence)
      return .unknown
    }
    switch entry.phase {
    case .leaving: return .unknown
    case .inFlight(_, let last):
      if settings.isFIFO, last != receipt, last != Receipt.unknown { return .expired }
      depart(sequence, wasInFlight: true)
    case .waiting:
      if settings.isFIFO { return .expired }
      withdraw(entry)
      depart(sequence, wasInFlight: false)
    }
    return .go
  }

  /// Takes a message from among those that wait.
  private mutating func withdraw(_ entry: Entry) {
    if settings.isFIFO {
      groups.remove(entry.arrival.sequence, of: entry.arrival.group ?? "")
    } else if !line.remove(entry.position) {
      returned.remove(entry.position)
    }
  }

  mutating func depart(_ sequence: Int64, wasInFlight: Bool) {
    entries[sequence]?.phase = .leaving(wasInFlight: wasInFlight)
    if wasInFlight { inFlight -= 1 }
    leaving += 1
  }

  /// It has left; the disk knows it no more.
  mutating func left(_ sequence: Int64, now: Int64, _ actions: inout [Action]) {
    loading?.gone.insert(sequence)
    dying.remove(sequence)
    if let entry = entries[sequence], case .leaving = entry.phase {
      entries[sequence] = nil
      leaving -= 1
      if settings.isFIFO { groups.unlock(entry.arrival.group ?? "") }
    }
    serve(now: now, &actions)
  }

  /// A message that was on disk only is gone from there.
  mutating func leftTail() {
    tail = max(0, tail - 1)
  }

  /// It could not leave, and waits again.
  mutating func stayed(_ sequence: Int64, now: Int64, _ actions: inout [Action]) {
    dying.remove(sequence)
    guard let entry = entries[sequence], case .leaving = entry.phase else { return }
    leaving -= 1
    comeBack(sequence, now: now)
    serve(now: now, &actions)
  }

  mutating func comeBack(_ sequence: Int64, now: Int64) {
    entries[sequence]?.phase = .waiting
    entries[sequence]?.position = Position(due: now, sequence: sequence)
    stand(sequence)
    if settings.isFIFO, let group = entries[sequence]?.arrival.group { groups.unlock(group) }
  }

  enum Change: Equatable {
    case done(until: Int64)
    case unknown, notInFlight, beyondLimit
  }

  /// Hides a message that is in flight until `visibility` from now; zero gives it back.
  mutating func change(
    _ sequence: Int64, receipt: Int64, visibility: Int64, now: Int64, _ actions: inout [Action]
  ) -> Change {
    pass(now: now, &actions)
    guard let entry = entries[sequence] else { return .unknown }
    guard case .inFlight(_, let last) = entry.phase, last == receipt || last == Receipt.unknown else {
      return .notInFlight
    }
    if entry.lastReceived > 0, now + visibility > entry.lastReceived + 43_200_000 { return .beyondLimit }
    if visibility == 0 {
      inFlight -= 1
      comeBack(sequence, now: now)
      serve(now: now, &actions)
    } else {
      entries[sequence]?.phase = .inFlight(until: now + visibility, receipt: last)
      flights.insert(Flight(until: now + visibility, sequence: sequence, receipt: last))
    }
    return .done(until: visibility == 0 ? 0 : now + visibility)
  }

  // MARK: - Serving

  /// Work is under way that may bring messages.
  var isBusy: Bool { loading != nil || !dying.isEmpty }

  private mutating func serve(now: Int64, _ actions: inout [Action]) {
    land(now: now)
    expire(now: now, &actions)
    while let waiter = waiters.first {
      let room = min(waiter.count, settings.flightLimit - inFlight)
      let taken = room > 0 ? take(room, now: now, &actions) : []
      guard !taken.isEmpty else { break }
      waiters.removeFirst()
      let deliveries = taken.map { deliver($0, visibility: waiter.visibility, now: now) }
      if let attempt = waiter.attempt { remember(attempt, deliveries, now: now) }
      actions.append(.deliver(waiter: waiter.id, deliveries))
    }
    load(&actions)
    giveUp(now: now, &actions)
  }

  private mutating func giveUp(now: Int64, _ actions: inout [Action]) {
    guard !isBusy, waiters.contains(where: { $0.deadline <= now }) else { return }
    for waiter in waiters where waiter.deadline <= now {
      let isFull = waiter.isShort && !settings.isFIFO && inFlight >= settings.flightLimit
      actions.append(isFull ? .refuse(waiter: waiter.id) : .deliver(waiter: waiter.id, []))
    }
    waiters.removeAll { $0.deadline <= now }
  }

  private mutating func deliver(_ sequence: Int64, visibility: Int64, now: Int64) -> Delivery {
    receipts += 1
    let receipt = receipts
    let until = now + visibility
    entries[sequence]?.arrival.receives += 1
    if entries[sequence]?.arrival.firstReceived == 0 { entries[sequence]?.arrival.firstReceived = now }
    entries[sequence]?.lastReceived = now
    entries[sequence]?.phase = .inFlight(until: until, receipt: receipt)
    inFlight += 1
    flights.insert(Flight(until: until, sequence: sequence, receipt: receipt))
    forgetFlights()
    let arrival = entries[sequence]?.arrival
    return Delivery(
      sequence: sequence, receipt: receipt, receives: arrival?.receives ?? 1,
      firstReceived: arrival?.firstReceived ?? now, until: until)
  }

  /// Takes messages that may be received; those that were received too often go elsewhere.
  private mutating func take(_ count: Int, now: Int64, _ actions: inout [Action]) -> [Int64] {
    var taken: [Int64] = []
    var dead: [Int64] = []
    while taken.count < count, let sequence = next(now: now, with: taken) {
      if let most = settings.maxReceives, let entry = entries[sequence], entry.arrival.receives >= most {
        depart(sequence, wasInFlight: false)
        dying.insert(sequence)
        dead.append(sequence)
        // What is behind it in its group waits until it has left.
        groups.close()
      } else {
        taken.append(sequence)
      }
    }
    if !dead.isEmpty { actions.append(.deadLetter(dead)) }
    groups.close()
    return taken
  }

  /// Takes messages that wait, for a move to another queue.
  mutating func claim(_ count: Int, now: Int64, _ actions: inout [Action]) -> [Int64] {
    land(now: now)
    expire(now: now, &actions)
    var claimed: [Int64] = []
    while claimed.count < count, let sequence = next(now: now, with: claimed) {
      depart(sequence, wasInFlight: false)
      claimed.append(sequence)
    }
    groups.close()
    load(&actions)
    return claimed
  }

  private mutating func next(now: Int64, with taken: [Int64]) -> Int64? {
    guard !settings.isFIFO else {
      return groups.next { entries[$0].map { $0.arrival.due <= now } == true }
    }
    let (fresh, old) = (line.first, returned.first)
    // What came back stands in its new place, unless so much did that memory would fill up.
    if let old, old.due <= now, fresh.map({ old < $0 }) != false || returned.count > settings.window {
      returned.removeFirst()
      return old.sequence
    }
    guard let fresh, fresh.due <= now else { return nil }
    line.removeFirst()
    return fresh.sequence
  }

  /// Most messages are deleted long before their time is over; what the heap holds of these is dropped now and then.
  private mutating func forgetFlights() {
    guard flights.count > 2 * inFlight + 1000 else { return }
    flights = Heap()
    for (sequence, entry) in entries {
      if case .inFlight(let until, let receipt) = entry.phase {
        flights.insert(Flight(until: until, sequence: sequence, receipt: receipt))
      }
    }
  }

  // MARK: - Time

  /// What was hidden long enough waits again.
  private mutating func land(now: Int64) {
    while let flight = flights.first, flight.until <= now {
      flights.removeFirst()
      guard let entry = entries[flight.sequence],
        entry.phase == .inFlight(until: flight.until, receipt: flight.receipt)
      else { continue }
      inFlight -= 1
      comeBack(flight.sequence, now: flight.until)
    }
  }

  /// What waited too long is nobody's any more.
  private mutating func expire(now: Int64, _ actions: inout [Action]) {
    var old: [Int64] = []
    while let sequence = oldest, let entry = entries[sequence], entry.arrival.sent + settings.retention <= now {
      withdraw(entry)
      entries[sequence] = nil
      old.append(sequence)
    }
    if !old.isEmpty { actions.append(.expire(old)) }
  }

  private var oldest: Int64? {
    if settings.isFIFO { return groups.first }
    guard let old = returned.first else { return line.first?.sequence }
    guard let fresh = line.first else { return old.sequence }
    let sent = (entries[old.sequence]?.arrival.sent ?? 0, entries[fresh.sequence]?.arrival.sent ?? 0)
    return sent.0 < sent.1 ? old.sequence : fresh.sequence
  }

  /// When to call `pass`, if nothing else happens before.
  func nextWake(now: Int64) -> Int64? {
    var wake: Int64?
    func consider(_ moment: Int64?) { if let moment, moment > now { wake = min(wake ?? moment, moment) } }
    consider(oldest.flatMap { entries[$0] }.map { $0.arrival.sent + settings.retention })
    guard !waiters.isEmpty else { return wake }
    // A receiver whose time is over waits for work that is under way, and for no clock.
    if !isBusy, let first = waiters.map(\.deadline).min(), first != .max { consider(first) }
    consider(flights.first?.until)
    consider(settings.isFIFO ? groups.first.flatMap { entries[$0]?.arrival.due } : line.first?.due)
    return wake
  }

  // MARK: - Memory

  /// Messages in memory that wait.
  var waitingCount: Int { entries.count - inFlight - leaving }

  private mutating func load(_ actions: inout [Action]) {
    guard !isWhole, loading == nil else { return }
    guard (settings.isFIFO ? entries.count : waitingCount) < (settings.window + 1) / 2 else { return }
    loading = Loading()
    actions.append(.load(after: cursor, count: (settings.window + 1) / 2))
  }

  /// Keeps the front only, when messages come faster than they go.
  private mutating func evict(_ actions: inout [Action]) {
    let waiting = settings.isFIFO ? groups.tailRoom(settings.window) : line.count - 2 * settings.window
    guard waiting > 0, loading == nil else { return }
    var gone: [Int64] = []
    if settings.isFIFO {
      gone = evictGroups()
    } else {
      gone = line.cut(to: settings.window).map(\.sequence)
    }
    for sequence in gone { entries[sequence] = nil }
    guard !gone.isEmpty else { return }
    if !settings.isFIFO { cursor = line.last }
    isWhole = false
    tail += gone.count
    actions.append(.forget(gone))
  }

  /// Of a FIFO queue the newest messages go, whatever their groups, so that all behind the cursor are on disk.
  private mutating func evictGroups() -> [Int64] {
    let waiting = entries.values.filter { $0.phase == .waiting }.map(\.arrival.position).sorted()
    let busiest = entries.values.filter { $0.phase != .waiting || $0.arrival.receives > 0 }.map(\.arrival.position)
      .max()
    let kept = waiting.count > settings.window ? waiting[settings.window - 1] : waiting.last
    guard let kept else { return [] }
    let limit = max(kept, busiest ?? kept)
    let gone = waiting.filter { $0 > limit }.map(\.sequence)
    for sequence in gone { groups.remove(sequence, of: entries[sequence]?.arrival.group ?? "") }
    if !gone.isEmpty { cursor = limit }
    return gone
  }

  // MARK: - Counts

  /// Approximate, as AWS's.
  func counts(now: Int64) -> (visible: Int, hidden: Int, delayed: Int) {
    var delayed = 0
    if settings.isFIFO {
      delayed = entries.values.count { $0.phase == .waiting && $0.position.due > now }
    } else {
      delayed = line.count - line.position(of: Position(due: now + 1, sequence: .min))
    }
    let landed = entries.values.count { if case .inFlight(let until, _) = $0.phase { until <= now } else { false } }
    let behind = tail + (loading?.arrivals.count ?? 0)
    let isTailDelayed = cursor.map { $0.due > now } == true
    let front = waitingCount - delayed + landed
    return (front + (isTailDelayed ? 0 : behind), inFlight - landed + leaving, delayed + (isTailDelayed ? behind : 0))
  }
}

enum Receipt {
  /// The message was received in an earlier run of the server.
  static let unknown: Int64 = -1
}
