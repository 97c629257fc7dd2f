// What `martlet explain` is made of: the journal of events, permissions in policies, and the misses of patterns.
import MartletCore
import MartletWire
import NIOCore
import Testing

@testable import MartletCloud
@testable import MartletLambda

@Suite struct ExplainTests {
  private func event(_ number: Int, _ id: RequestID = RequestID(from: RealWorld())) throws -> StoredEvent {
    let place = Place(account: try #require(Account("111111111111")), region: try #require(Region("us-east-1")))
    return StoredEvent(
      id: Int64(number), function: FunctionReference(key: FunctionKey(place: place, name: "f"), qualifier: nil),
      requestID: id, traceHeader: "", tenant: nil, retry: Retry(accepted: Timestamp(milliseconds: 0)),
      payload: ByteBuffer())
  }

  private func failure(_ message: String) -> EventQueue.Attempt {
    EventQueue.Attempt(
      outcome: .failed,
      response: .init(
        payload: ByteBuffer(string: #"{"errorMessage":"\#(message)"}"#), executedVersion: "$LATEST",
        functionError: "Unhandled"))
  }

  @Test func theJournalKnowsAnEventsWay() throws {
    let journal = EventJournal()
    let event = try event(1)
    journal.accepted(event)
    #expect(journal.find(event.requestID)?.ending == EventStory.Ending.none)
    let due = Timestamp(milliseconds: 60_000)
    journal.tried(event, failure("no"), .retry(at: due), at: Timestamp(milliseconds: 1))
    #expect(journal.find(event.requestID)?.ending == .waits(until: due))
    journal.tried(event, failure("never"), .finish(.retriesExhausted), at: due)
    journal.told(event, EventTarget(kind: .deadLetter, arn: "q"), isDelivered: true)
    let story = try #require(journal.find(event.requestID))
    #expect(story.ending == .over(.retriesExhausted) && story.count == 2)
    #expect(story.attempts.map(\.words) == ["no", "never"].map { "the function failed (Unhandled): \($0)" })
    #expect(story.told.map(\.target.arn) == ["q"] && story.told.map(\.isDelivered) == [true])
  }

  @Test func theJournalForgetsTheOldest() throws {
    let journal = EventJournal(limit: 10)
    let events = try (0..<25).map { try event($0) }
    for event in events { journal.accepted(event) }
    #expect(events.map { journal.find($0.requestID) != nil } == (0..<25).map { $0 >= 15 })
    // Attempts of what was forgotten begin a new story, and many attempts are not all kept.
    for _ in 0..<20 {
      journal.tried(events[0], failure("x"), .retry(at: Timestamp(milliseconds: 0)), at: Timestamp(milliseconds: 0))
    }
    #expect(journal.find(events[0].requestID)?.count == 20)
    #expect(journal.find(events[0].requestID).map { $0.attempts.count < 20 } == true)
  }

  @Test func policiesAdmitServices() throws {
    func admits(_ statement: String, _ source: String = "arn:aws:events:us-east-1:1:rule/r") throws -> Bool {
      PolicyAnswer.admits(try JSONValue(parsing: statement), "events.amazonaws.com", source)
    }
    let whom = #""Principal":{"Service":"events.amazonaws.com"}"#
    let what = #""Effect":"Allow","Action":"lambda:InvokeFunction""#
    #expect(try admits("{\(what),\(whom)}"))
    #expect(try admits(#"{\#(what),"Principal":"*"}"#))
    #expect(try admits(#"{\#(what),\#(whom),"Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:events:*:1:rule/*"}}}"#))
    #expect(try !admits(#"{\#(what),\#(whom),"Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:events:*:1:rule/x*"}}}"#))
    #expect(try !admits(#"{\#(what),"Principal":{"Service":"sns.amazonaws.com"}}"#))
    #expect(try !admits(#"{"Effect":"Deny","Action":"lambda:*",\#(whom)}"#))
    #expect(try !admits(#"{"Effect":"Allow","Action":"lambda:GetFunction",\#(whom)}"#))
    #expect(PolicyAnswer.matches("a*c*e", "abcde") && !PolicyAnswer.matches("a*c*e", "abde"))
    #expect(PolicyAnswer.matches("*", "") && PolicyAnswer.matches("a", "a") && !PolicyAnswer.matches("aa*aa", "aaa"))
  }

  @Test func missesOfPatternsAreNamed() throws {
    func misses(_ pattern: String, _ event: String) throws -> [String] {
      let event = try JSONValue(parsing: event)
      return EventBridgeService.misses(try JSONValue(parsing: pattern), event, path: [], whole: event)
    }
    let event = #"{"source":"shop","detail":{"total":50,"item":{"kind":"book"}}}"#
    #expect(try misses(#"{"source":["shop"]}"#, event).isEmpty)
    #expect(
      try misses(#"{"source":["shop"],"detail":{"total":[{"numeric":[">",100]}],"item":{"kind":["book"]}}}"#, event)
        == [
          #"The event has 50 at detail.total, and the pattern wants [{"numeric":[">",100]}]"#
        ])
    #expect(
      try misses(#"{"source":["bank"],"detail":{"item":{"kind":["pen"],"size":["l"]}}}"#, event) == [
        #"The event has "shop" at source, and the pattern wants ["bank"]"#,
        #"The event has "book" at detail.item.kind, and the pattern wants ["pen"]"#,
        #"The event has nothing at detail.item.size, and the pattern wants ["l"]"#,
      ])
  }
}
