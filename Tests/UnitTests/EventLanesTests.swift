// Which event is tried next: due times, turns, throttled lanes, growing width; and random days of a queue.
import MartletCore
import MartletLambda
import Testing

@Suite struct EventLanesTests {
  private let start = Timestamp(milliseconds: 1_800_000_000_000)
  private let place: Place

  init() throws {
    place = Place(account: try #require(Account("111111111111")), region: try #require(Region("us-east-1")))
  }

  private func key(_ name: String, _ qualifier: String? = nil) -> EventLanes.Key {
    EventLanes.Key(FunctionReference(key: FunctionKey(place: place, name: name), qualifier: qualifier))
  }

  private func startAll(_ lanes: inout EventLanes, at now: Timestamp) -> [EventLanes.Ticket] {
    var tickets: [EventLanes.Ticket] = []
    while let ticket = lanes.start(at: now) { tickets.append(ticket) }
    return tickets
  }

  @Test func eventsWaitForTheirTime() {
    var lanes = EventLanes(limit: 10)
    lanes.add(1, key("a"), due: start + .seconds(2))
    lanes.add(2, key("a"), due: start + .seconds(1))
    #expect(lanes.nextDue == start + .seconds(1) && !lanes.isBusy && lanes.count == 2)
    #expect(lanes.start(at: start) == nil)
    lanes.wake(at: start + .seconds(1))
    #expect(startAll(&lanes, at: start).map(\.id) == [2])
    lanes.wake(at: start + .seconds(5))
    #expect(startAll(&lanes, at: start).map(\.id) == [1])
    #expect(lanes.underWay == 2 && lanes.count == 0)
  }

  @Test func lanesTakeTurns() {
    var lanes = EventLanes(limit: 100)
    for id in 1...3 { lanes.add(Int64(id), key("a")) }
    for id in 11...12 { lanes.add(Int64(id), key("b")) }
    #expect(startAll(&lanes, at: start).map(\.id) == [1, 11, 2, 12, 3])
  }

  @Test func aRefusedEventBlocksItsLaneOnly() throws {
    var lanes = EventLanes(limit: 100)
    for id in 1...3 { lanes.add(Int64(id), key("a")) }
    let first = lanes.start(at: start)
    lanes.refuse(try #require(first), until: start + .seconds(1))
    lanes.add(11, key("b"))
    #expect(startAll(&lanes, at: start).map(\.id) == [11])
    #expect(lanes.nextDue == start + .seconds(1))
    lanes.wake(at: start + .seconds(1))
    #expect(startAll(&lanes, at: start).map(\.id) == [1, 2, 3], "the refused one is first")
  }

  @Test func theEndOfAnAttemptUnblocksItsFunction() throws {
    var lanes = EventLanes(limit: 100)
    for id in 1...3 { lanes.add(Int64(id), key("a")) }
    lanes.add(4, key("a", "live"))
    let tickets = startAll(&lanes, at: start)
    let running = try #require(tickets.first)
    for ticket in tickets.dropFirst() { lanes.refuse(ticket, until: start + .seconds(1)) }
    #expect(lanes.start(at: start) == nil)
    lanes.finish(running)
    #expect(Set(startAll(&lanes, at: start).map(\.id)) == [2, 3, 4], "of all qualifiers")
  }

  @Test func roomThatWasMadeMeanwhileIsNotMissed() throws {
    var lanes = EventLanes(limit: 100)
    lanes.add(1, key("a"))
    lanes.add(2, key("a"))
    let tickets = startAll(&lanes, at: start)
    lanes.finish(tickets[0])
    lanes.refuse(tickets[1], until: start + .seconds(1))
    #expect(startAll(&lanes, at: start).map(\.id) == [2])
  }

  @Test func aLaneGrowsWhileItIsNotEnough() {
    var lanes = EventLanes(limit: 10_000)
    for id in 1...5000 { lanes.add(Int64(id), key("a")) }
    var now = start
    var counts: [Int] = []
    for _ in 0..<11 {
      _ = startAll(&lanes, at: now)
      counts.append(lanes.underWay)
      #expect(lanes.nextDue == now + .seconds(1))
      now = now + .seconds(1)
      lanes.wake(at: now)
    }
    #expect(counts.prefix(4) == [16, 24, 36, 54])
    #expect((900...1000).contains(counts[10]), "a thousand in ten seconds")
  }

  @Test func theLimitHoldsForAll() {
    var lanes = EventLanes(limit: 5)
    for id in 1...20 { lanes.add(Int64(id), key("f\(id)")) }
    let tickets = startAll(&lanes, at: start)
    #expect(tickets.count == 5 && lanes.count == 15)
    lanes.finish(tickets[0])
    #expect(startAll(&lanes, at: start).map(\.id) == [6])
  }

  /// Random functions, throttles, errors and times: every event is tried until it is over, never twice at once.
  @Test(arguments: 1...20) func everyEventIsTriedUntilItIsOver(seed: UInt64) {
    var dice = SplitMix(seed: seed)
    var lanes = EventLanes(limit: Int.random(in: 1...40, using: &dice))
    var now = start
    var open = Set<Int64>((1...300).map { Int64($0) })
    for id in open {
      let key = key("f\(Int.random(in: 0...5, using: &dice))", Bool.random(using: &dice) ? "live" : nil)
      if Bool.random(using: &dice) {
        lanes.add(id, key)
      } else {
        lanes.add(id, key, due: now + .milliseconds(Int.random(in: 0...5000, using: &dice)))
      }
    }
    var underWay: [EventLanes.Ticket] = []
    for _ in 0..<100_000 where !open.isEmpty {
      while let ticket = lanes.start(at: now) {
        #expect(open.contains(ticket.id) && !underWay.contains { $0.id == ticket.id })
        underWay.append(ticket)
      }
      #expect(lanes.underWay == underWay.count && lanes.count + underWay.count == open.count)
      if let index = underWay.indices.randomElement(using: &dice) {
        let ticket = underWay.remove(at: index)
        switch Int.random(in: 0...3, using: &dice) {
        case 0: lanes.retry(ticket, due: now + .milliseconds(Int.random(in: 0...3000, using: &dice)))
        case 1: lanes.refuse(ticket, until: now + .milliseconds(Int.random(in: 0...3000, using: &dice)))
        default:
          lanes.finish(ticket)
          open.remove(ticket.id)
        }
      } else if let due = lanes.nextDue {
        now = max(now, due)
      } else {
        Issue.record("\(open.count) events are forgotten")
        return
      }
      lanes.wake(at: now)
    }
    #expect(open.isEmpty && lanes.count == 0 && lanes.underWay == 0 && !lanes.isBusy)
  }
}
