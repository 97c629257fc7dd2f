// A look for more before the thread of an event loop sleeps. To be woken costs more than most answers of a warm
// environment take to come, so where they have come within microseconds lately, the thread waits for them awake.
// What is saved and what it costs: docs/decisions/012-a-thread-waits-awake-for-a-moment.md
import Glibc
import MartletCore
import MartletSandbox
import MartletStore
import NIOCore
import NIOPosix
import Synchronization

/// Whether to wait awake, judged by how soon something came lately. One for each event loop.
struct SpinHabit {
  /// The longest that a thread waits awake.
  let limit: Int64
  /// Of the last times that something came, those within the limit; in parts of 256. The last eight or so count.
  private(set) var share = 0
  /// Somebody else wanted the processor while this one waited awake: until then it does not.
  private var quietUntil: Int64 = 0

  /// How long others have the processor for themselves.
  static let quiet: Int64 = 5_000_000
  /// A loop to which something came sooner than that had more to do already, and has not waited.
  static let atOnce: Int64 = 2_000

  init(limit: Duration) { self.limit = limit.inNanoseconds }

  /// Something came after `gap` nanoseconds. One that slept was woken late, so that it counts half.
  mutating func came(after gap: Int64, asleep: Bool) {
    share += ((asleep ? gap / 2 : gap) <= limit ? 256 - share : -share) / 8
  }

  mutating func wasInTheWay(at now: Int64) { quietUntil = now + SpinHabit.quiet }

  func pays(afterGap gap: Int64, at now: Int64) -> Bool { share >= 96 && gap > SpinHabit.atOnce && now >= quietUntil }
}

/// Does so for the event loops of a group: SwiftNIO calls it when a loop has done what there was to do.
final class Spinning: NIOEventLoopMetricsDelegate {
  private final class Loop: @unchecked Sendable {
    /// What the loop waits on. Readable when something has come.
    let epoll: CInt
    var habit: SpinHabit
    var wasAwake = false

    init(epoll: CInt, habit: SpinHabit) {
      self.epoll = epoll
      self.habit = habit
    }
  }

  private let limit: Duration
  /// Each is used by the thread of its loop only.
  private let loops = Mutex<[ObjectIdentifier: Loop]>([:])

  /// - Parameter limit: the longest that a thread waits awake; zero: it never does.
  init(limit: Duration) { self.limit = limit }

  /// A group whose threads do so. To be called once.
  func group(threads: Int) async -> MultiThreadedEventLoopGroup {
    guard limit > .zero else { return MultiThreadedEventLoopGroup(numberOfThreads: threads) }
    let group = MultiThreadedEventLoopGroup(numberOfThreads: threads, metricsDelegate: self)
    for loop in group.makeIterator() { await attend(to: loop) }
    return group
  }

  /// How many loops it knows.
  var attended: Int { loops.withLock { $0.count } }

  /// Finds what the loop waits on. SwiftNIO does not tell, but the kernel does: it is what a descriptor of the loop is
  /// registered with (proc_pid_fdinfo(5)). Where it does not, the loop's thread just sleeps.
  private func attend(to loop: any EventLoop) async {
    guard let pipe = try? Pipe() else { return }
    defer { close(pipe.writer) }
    let (reader, identifier) = (pipe.reader, ObjectIdentifier(loop))
    guard let probe = try? await NIOPipeBootstrap(group: loop).takingOwnershipOfDescriptor(input: reader).get() else {
      close(reader)
      return
    }
    if let epoll = Spinning.watcher(of: reader) {
      loops.withLock { $0[identifier] = Loop(epoll: epoll, habit: SpinHabit(limit: limit)) }
    }
    try? await probe.close()  // the descriptor is the channel's, whatever becomes of it
  }

  private static func watcher(of descriptor: CInt) -> CInt? {
    for name in Files.names(in: "/proc/self/fdinfo") {
      guard let number = CInt(name),
        let text = try? String(decoding: Files.read("/proc/self/fdinfo/\(name)"), as: UTF8.self)
      else { continue }
      for line in text.split(separator: "\n") where line.hasPrefix("tfd:") {
        let fields = line.dropFirst(4).split(separator: " ", maxSplits: 1)
        if fields.first.flatMap({ CInt($0) }) == descriptor { return number }
      }
    }
    return nil
  }

  func processedTick(info: NIOEventLoopTickInfo) {
    guard let loop = loops.withLock({ $0[info.eventLoopID] }) else { return }
    let gap = info.sleepTime.nanoseconds
    let now = Int64(info.endTime.uptimeNanoseconds)
    loop.habit.came(after: gap, asleep: !loop.wasAwake)
    loop.wasAwake = loop.habit.pays(afterGap: gap, at: now) && wait(loop, from: now)
  }

  /// True if something came.
  private func wait(_ loop: Loop, from begin: Int64) -> Bool {
    var ready = pollfd(fd: loop.epoll, events: Int16(POLLIN), revents: 0)
    var now = begin
    while now - begin < loop.habit.limit {
      if poll(&ready, 1, 0) != 0 { return true }
      let before = Int64(NIODeadline.now().uptimeNanoseconds)
      sched_yield()
      now = Int64(NIODeadline.now().uptimeNanoseconds)
      if now - before > SpinHabit.atOnce * 4 {
        loop.habit.wasInTheWay(at: now)
        return false
      }
    }
    return false
  }
}
