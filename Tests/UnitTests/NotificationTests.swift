// What subscribers get, how it is signed, and when it is sent again.
import MartletCore
import MartletWire
import Testing

@testable import MartletCloud

@Suite struct NotificationTests {
  private var notification: Notification {
    var notification = Notification(
      id: "id", topic: "arn:aws:sns:us-east-1:111111111111:t", message: "a\n\"b\"\u{1}", published: 1_800_000_000_123)
    notification.subject = "s"
    notification.attributes = [
      .init(name: "k", type: "String.Array", string: "[]"), .init(name: "b", type: "Binary", binary: [0, 255]),
    ]
    notification.signatureVersion = "2"
    notification.sequenceNumber = "1"
    notification.groupID = "g"
    notification.deduplicationID = "d"
    notification.traceHeader = "Root=1"
    notification.token = "t"
    return notification
  }

  @Test func aParcelHoldsAllOfIt() throws {
    let json = try JSONValue(parsing: String(decoding: notification.parcel, as: UTF8.self))
    #expect(Notification(parcel: json) == notification)
    var bare = Notification(id: "i", topic: "t", message: "", published: 0)
    bare.kind = .goodbye
    #expect(Notification(parcel: try JSONValue(parsing: String(decoding: bare.parcel, as: UTF8.self))) == bare)
    #expect(Notification(parcel: .object([])) == nil)
  }

  @Test func whatIsSignedIsInOrder() {
    let links = NotificationLinks(host: "h:1")
    #expect(
      notification.signedText(links)
        == "Message\na\n\"b\"\u{1}\nMessageId\nid\nSubject\ns\nTimestamp\n2027-01-15T08:00:00.123Z\nTopicArn\narn:aws:sns:us-east-1:111111111111:t\nType\nNotification\n"
    )
    var confirmation = notification
    confirmation.kind = .confirmation
    #expect(
      confirmation.signedText(links).contains(
        "SubscribeURL\nhttp://h:1/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:us-east-1:111111111111:t&Token=t\nTimestamp\n"
      ))
  }

  @Test func documentsAreJSON() throws {
    let links = NotificationLinks(host: "h")
    let document = notification.document(links, .init(value: "v", certificateURL: "u"), subscription: "arn")
    let json = try JSONValue(parsing: document)
    #expect(json["Message"]?.string == notification.message && json["SequenceNumber"]?.string == "1")
    #expect(
      document.contains("  \"MessageAttributes\" : {\n    \"k\" : {\"Type\":\"String.Array\",\"Value\":\"[]\"},\n"))
    #expect(json["MessageAttributes"]?["b"]?["Value"]?.string == "AP8=")
    let event = try JSONValue(parsing: notification.event(links, nil, subscription: "arn"))
    #expect(event["Records"]?.array?[0]["Sns"]?["Message"]?.string == notification.message)
  }

  @Test func keysSurviveTheirText() throws {
    let key = try SigningKey(name: "n", now: 1_800_000_000, world: RealWorld())
    let again = try SigningKey(privateText: key.privateText, certificate: key.certificate)
    #expect(try key.sign("text", .sha1) == again.sign("text", .sha1))
    #expect(try key.sign("text", .sha256) != key.sign("text", .sha1))
    #expect(try key.sign("text", .sha256).count == 256)
    #expect(key.certificate.hasPrefix("-----BEGIN CERTIFICATE-----"))
    #expect(throws: Fault.self) { try SigningKey(privateText: "nonsense", certificate: "") }
  }

  // MARK: - Again

  @Test func managedEndpointsAreTriedForTwentyThreeDays() throws {
    let schedule = RetrySchedule.managed
    let delays = (1...6).map { schedule.delay(after: $0) }
    #expect(delays == [.zero, .zero, .zero, .seconds(1), .seconds(1), .seconds(1)])
    #expect(schedule.delay(after: 15) == .seconds(20) && schedule.delay(after: 100_015) == .seconds(20))
    #expect(schedule.delay(after: 100_016) == nil && schedule.delay(after: 0) == nil)
    var total = Duration.zero
    for attempt in 1...100_015 { total += try #require(schedule.delay(after: attempt)) }
    #expect(total > .seconds(86_400 * 23) && total < .seconds(86_400 * 24))
  }

  @Test(arguments: RetrySchedule.Backoff.allCases) func delaysGrowWithinTheirBounds(_ backoff: RetrySchedule.Backoff) {
    let schedule = RetrySchedule(
      minDelay: 2, maxDelay: 60, retries: 12, withoutDelay: 1, withMinDelay: 2, withMaxDelay: 3, backoff: backoff)
    let delays = (1...12).compactMap { schedule.delay(after: $0) }
    #expect(delays.count == 12 && delays == delays.sorted() && schedule.delay(after: 13) == nil)
    #expect(delays[0] == .zero && delays[1] == .seconds(2) && delays[3] == .seconds(2) && delays[8] == .seconds(60))
    #expect(delays.filter { $0 == .seconds(60) }.count == 4)
  }

  static let wrong: [(String, String)] = [
    ("{", "failed to parse JSON."), (#"{"healthyRetryPolicy":1}"#, "healthyRetryPolicy must be an object"),
    (#"{"healthyRetryPolicy":{}}"#, "healthyRetryPolicy.minDelayTarget must be specified"),
    (
      #"{"healthyRetryPolicy":{"minDelayTarget":9,"maxDelayTarget":1,"numRetries":1}}"#,
      "healthyRetryPolicy.minDelayTarget must be less than or equal to maxDelayTarget"
    ),
    (
      #"{"healthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":1,"numRetries":101}}"#,
      "healthyRetryPolicy.numRetries must be less than or equal to 100"
    ),
    (
      #"{"healthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":1,"numRetries":1,"backoffFunction":"x"}}"#,
      "healthyRetryPolicy.backoffFunction must be one of arithmetic, exponential, geometric, linear"
    ),
    (
      #"{"throttlePolicy":{"maxReceivesPerSecond":0}}"#,
      "throttlePolicy.maxReceivesPerSecond must be greater than or equal to 1"
    ),
    (#"{"requestPolicy":{"headerContentType":"a\r\nb"}}"#, "requestPolicy.headerContentType is not a content type"),
  ]

  @Test(arguments: wrong) func policiesAreChecked(_ text: String, _ reason: String) {
    #expect(throws: DeliveryPolicy.Flaw(reason)) { _ = try DeliveryPolicy(ofSubscription: text) }
  }

  @Test func theSubscriptionsPolicyCountsUnlessTheTopicSaysNo() {
    let own = #"{"healthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":1,"numRetries":7}}"#
    func topic(_ isFinal: Bool) -> String {
      #"{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":5,"maxDelayTarget":5,"numRetries":1},"disableSubscriptionOverrides":\#(isFinal)}}"#
    }
    #expect(DeliveryPolicy(topic: nil, subscription: nil).schedule == RetrySchedule())
    #expect(DeliveryPolicy(topic: topic(false), subscription: nil).schedule?.retries == 1)
    #expect(DeliveryPolicy(topic: topic(false), subscription: own).schedule?.retries == 7)
    #expect(DeliveryPolicy(topic: topic(true), subscription: own).schedule?.retries == 1)
  }

  @Test func endpointsAreURLs() throws {
    let endpoint = try #require(HTTPEndpoint("http://us%20er:p@h:81/a/b?c=d#e"))
    #expect(endpoint.address.port == 81 && endpoint.target == "/a/b?c=d")
    #expect(endpoint.authorization == "Basic \(Base64.encode(Array("us er:p".utf8)))")
    #expect(HTTPEndpoint("https://h")?.target == "/" && HTTPEndpoint("http://h?x")?.target == "/?x")
    for text in ["http://", "ftp://h", "http:/h", "http://h /", "http://h\r\nX: y/", "http://h:0/", "h"] {
      #expect(HTTPEndpoint(text) == nil, "\(text)")
    }
  }
}
