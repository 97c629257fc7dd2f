// Who may initialise now, as a value: no I/O, no clock. As many as there are slots, and more while processors are idle;
// the others wait, those of one lane in order, the lanes in turn.
import NIOCore

/// `Lane` stands for a function, `Entry` for who waits.
struct InitialisationQueue<Lane: Hashable & Sendable, Entry> {
  /// What of it is worth a look.
  struct Census: Equatable {
    var running = 0
    var waiting = 0
    /// How many had to wait, ever.
    var delayed = 0
  }

  /// How many may run at once while every processor is at work.
  private let slots: Int
  /// When each of those that have a slot got it, in nanoseconds.
  private var running: [UInt64: UInt64] = [:]
  private var lastTurn: UInt64 = 0
  private var lanes: [Lane: CircularBuffer<Entry>] = [:]
  /// Every lane in which somebody waits, once.
  private var order = CircularBuffer<Lane>()
  private var waiting = 0
  private var delayed = 0
  /// How many may go ahead although the slots are taken.
  private var extra = 0

  init(slots: Int) { self.slots = slots }

  var isEmpty: Bool { waiting == 0 }

  var census: Census { Census(running: running.count, waiting: waiting, delayed: delayed) }

  /// A slot for somebody new: its number; nil if there is none, or others have waited for it.
  mutating func enter(at now: UInt64) -> UInt64? {
    guard waiting == 0, running.count < slots else { return nil }
    return take(at: now)
  }

  mutating func wait(_ entry: Entry, in lane: Lane) {
    if lanes[lane, default: []].isEmpty { order.append(lane) }
    lanes[lane, default: []].append(entry)
    waiting += 1
    delayed += 1
  }

  /// Who is next, with its slot; nil if nobody may or nobody waits. To be asked until it says so.
  mutating func next(at now: UInt64) -> (entry: Entry, turn: UInt64)? {
    guard running.count < slots || extra > 0, let lane = order.popFirst(), let entry = lanes[lane]?.popFirst() else {
      extra = 0
      return nil
    }
    if lanes[lane]?.isEmpty == true { lanes[lane] = nil } else { order.append(lane) }
    waiting -= 1
    if running.count >= slots { extra -= 1 }
    return (entry, take(at: now))
  }

  /// A slot is not needed any more. One that was given back before is nobody's business.
  mutating func leave(_ turn: UInt64) { running[turn] = nil }

  /// Time has passed.
  /// - Parameters:
  ///   - patience: nanoseconds after which a slot is taken from whoever has it, which goes on without.
  ///   - idle: processors that have nothing to do.
  mutating func timePassed(_ now: UInt64, patience: UInt64, idle: Int) {
    running = running.filter { now &- $0.value < patience }
    extra = max(0, idle)
  }

  private mutating func take(at now: UInt64) -> UInt64 {
    lastTurn += 1
    running[lastTurn] = now
    return lastTurn
  }
}
