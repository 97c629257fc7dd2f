// Notifications, tags, dates, forms and lifecycles of S3 as values: properties, and what damaged input does to them.
import MartletCore
import MartletWire
import NIOCore
import NIOHTTP1
import Testing

@testable import MartletCloud

@Suite struct S3NotificationsTests {
  private func rule(_ events: [String], prefix: String = "", suffix: String = "") -> S3Notifications.Rule {
    S3Notifications.Rule(
      id: "i", service: .sqs, arn: "a", events: events, prefix: prefix, suffix: suffix,
      hasFilter: !prefix.isEmpty || !suffix.isEmpty)
  }

  private func document(_ rules: [S3Notifications.Rule]) -> XMLElement {
    XMLElement(
      "NotificationConfiguration",
      children: rules.map { rule in
        func filter(_ name: String, _ value: String) -> XMLElement {
          XMLElement("FilterRule", children: [XMLElement("Name", text: name), XMLElement("Value", text: value)])
        }
        let key = XMLElement("S3Key", children: [filter("prefix", rule.prefix), filter("Suffix", rule.suffix)])
        return XMLElement(
          "QueueConfiguration",
          children: [XMLElement("Queue", text: rule.arn)] + rule.events.map { XMLElement("Event", text: $0) }
            + [XMLElement("Filter", children: [key])])
      })
  }

  /// If one event of one object fits two rules, the rules overlap.
  @Test func rulesThatFitTogetherOverlap() {
    var random = SplitMix(seed: 31)
    let events = ["s3:ObjectCreated:*", "s3:ObjectCreated:Put", "s3:ObjectCreated:Copy", "s3:ObjectRemoved:*"]
    func text() -> String {
      String((0..<Int.random(in: 0...2, using: &random)).map { _ in Bool.random(using: &random) ? "a" : "b" })
    }
    var overlaps = 0
    for _ in 0..<3000 {
      let rules = (0..<2).map { _ in
        rule([events.randomElement(using: &random) ?? ""], prefix: text(), suffix: text())
      }
      let notifications = S3Notifications(document(rules))
      #expect(notifications.rules.map(\.prefix) == rules.map(\.prefix))
      let both = ["ObjectCreated:Put", "ObjectCreated:Copy", "ObjectRemoved:Delete"].contains { event in
        let key = rules[0].prefix + rules[1].prefix + text() + rules[0].suffix + rules[1].suffix
        return notifications.rules(for: event, key: key).count == 2
      }
      #expect(!both || rules[0].overlaps(rules[1]), "\(rules)")
      #expect(rules[0].overlaps(rules[1]) == rules[1].overlaps(rules[0]))
      if both { overlaps += 1 }
    }
    #expect(overlaps > 100)
  }

  /// What is kept is read again as it was.
  @Test func configurationsComeBack() throws {
    var random = SplitMix(seed: 32)
    for _ in 0..<300 {
      let prefix = random.mutated(Array("p <&>\"' ü".utf8)).filter { $0 >= 0x20 && $0 < 0x7f }
      let given = document([rule(["s3:ObjectCreated:*"], prefix: String(decoding: prefix, as: UTF8.self))])
      #expect(try XMLElement(document: given.document) == given)
    }
  }

  @Test func damagedDocumentsAreRefusedOrRead() throws {
    var random = SplitMix(seed: 33)
    let good = Array(document([rule(["s3:ObjectCreated:*"], prefix: "a", suffix: "b")]).document.utf8)
    for _ in 0..<3000 {
      guard let element = try? XMLElement(parsing: random.mutated(good)) else { continue }
      guard let checked = try? S3Schema.notification.checked(element) else { continue }
      let notifications = S3Notifications(checked)
      #expect(notifications.rules.count == checked.children.count { $0.name == "QueueConfiguration" })
    }
  }

  @Test(arguments: [
    ("a b", "a+b"), ("a/b", "a/b"), ("ü", "%C3%BC"), ("a+b&c=d", "a%2Bb%26c%3Dd"), ("*-_.~", "*-_.%7E"), ("\n", "%0A"),
  ])
  func keysAreEncoded(_ key: String, _ shown: String) { #expect(S3Event.encoded(key) == shown) }

  // MARK: - Deliveries

  @Test func deliveriesComeBack() throws {
    let place = Place(
      account: try #require(Account("111111111111")), region: try #require(Region("eu-west-1")))
    let entry = EventBridge.PutEvents.Entry(
      source: "aws.s3", detailType: "Object Created", detail: "{\"a\":\"ü\\n\"}", resources: ["arn:aws:s3:::b"],
      time: Timestamp(milliseconds: 1_700_000_000_123), traceHeader: "Root=1")
    for delivery in [
      S3Delivery(arn: "a", place: place, traceHeader: nil, message: "{\"x\":\"\u{1F600}\"}"),
      S3Delivery(arn: "bus", place: place, traceHeader: "Root=1", entry: entry),
    ] {
      #expect(S3Delivery(delivery.bytes) == delivery)
    }
    var random = SplitMix(seed: 34)
    let bytes = S3Delivery(arn: "a", place: place, traceHeader: nil, message: "m").bytes
    for _ in 0..<2000 { _ = S3Delivery(random.mutated(bytes)) }
  }

  // MARK: - Dates and tags

  @Test func datesComeBack() {
    var random = SplitMix(seed: 35)
    for _ in 0..<3000 {
      let time = Timestamp(milliseconds: Int64.random(in: -8_000_000_000_000...9_000_000_000_000, using: &random))
      #expect(Timestamp(s3Date: time.iso8601) == time || time.milliseconds < 0)
      #expect(Timestamp(s3Date: time.iso8601Seconds)?.seconds == time.seconds || time.milliseconds < 0)
    }
    #expect(Timestamp(s3Date: "2024-02-29") != nil && Timestamp(s3Date: "2023-02-29") == nil)
    #expect(Timestamp(s3Date: "2026-01-01T01:00:00+01:00") == Timestamp(s3Date: "2026-01-01T00:00:00.000Z"))
    for text in [
      "", "2026", "2026-13-01", "2026-01-01T", "2026-01-01T25:00:00Z", "2026-01-01T00:00:00.Z", "9999-01-01",
    ] {
      #expect(Timestamp(s3Date: text) == nil, "\(text)")
    }
  }

  @Test func tagsComeBack() throws {
    let tags = try S3Tags(header: "a=b%20c&d=&e+f=%C3%BC")
    #expect(tags.all.map(\.key) == ["a", "d", "e f"] && tags.all.map(\.value) == ["b c", "", "ü"])
    #expect(S3Tags(tags.document) == tags)
    for header in ["=a", "a=1&a=2", "a=%00", "a=<"] { #expect(throws: AWSError.self) { try S3Tags(header: header) } }
  }

  // MARK: - Forms

  private func form(_ parts: [(name: String, value: [UInt8])]) -> [UInt8] {
    var out: [UInt8] = []
    for part in parts {
      let head = "--edge\r\nContent-Disposition: form-data; name=\"\(part.name)\"; filename=\"f\"\r\n\r\n"
      out += Array(head.utf8) + part.value + [13, 10]
    }
    return out + Array("--edge--\r\n".utf8)
  }

  private static let type = "multipart/form-data; boundary=\"edge\""

  @Test func formsComeBack() throws {
    var random = SplitMix(seed: 36)
    for _ in 0..<300 {
      let content = (0..<Int.random(in: 0..<300, using: &random)).map { _ in
        [10, 13, 45, 101, 100, 103].randomElement(using: &random) ?? UInt8(0)
      }
      // The edge itself is not in the content.
      if String(decoding: content, as: UTF8.self).contains("\r\n--edge") { continue }
      let bytes = form([("Key", Array("k".utf8)), ("empty", []), ("file", content), ("late", [1])])
      let read = try S3Form(.memory(ByteBuffer(bytes: bytes)), contentType: S3NotificationsTests.type)
      #expect(read["key"] == "k" && read["empty"] == "" && read["late"] == nil)
      #expect(read.content.map { Array(bytes[$0]) } == content)
      let draft = try DraftFile(in: "/tmp")
      try bytes.withUnsafeBytes { try draft.append($0) }
      let again = try S3Form(.file(draft.finish()), contentType: S3NotificationsTests.type)
      #expect(again.content == read.content && again.filename == read.filename)
    }
  }

  @Test func damagedFormsDoNoHarm() {
    var random = SplitMix(seed: 37)
    let good = form([("key", Array("k".utf8)), ("policy", Array("e30=".utf8)), ("file", Array("content".utf8))])
    for _ in 0..<5000 {
      let bytes = random.mutated(good)
      if let read = try? S3Form(.memory(ByteBuffer(bytes: bytes)), contentType: S3NotificationsTests.type) {
        #expect(read.content?.upperBound ?? 0 <= bytes.count)
      }
    }
    for type in ["", "multipart/form-data", "multipart/form-data; boundary=", "text/plain; boundary=other"] {
      #expect(throws: AWSError.self) { try S3Form(.memory(ByteBuffer(bytes: good)), contentType: type) }
    }
  }

  // MARK: - Lifecycles

  @Test func nothingExpiresBeforeItsMidnight() throws {
    var random = SplitMix(seed: 38)
    let day: Int64 = 86_400_000
    for _ in 0..<1000 {
      let days = Int.random(in: 1...40, using: &random)
      let text =
        "<LifecycleConfiguration><Rule><Status>Enabled</Status><Filter/><Expiration><Days>\(days)</Days></Expiration></Rule></LifecycleConfiguration>"
      let expiry = S3Expiry(try XMLElement(parsing: text.utf8))
      let modified = Timestamp(milliseconds: Int64.random(in: 0...(day * 400), using: &random))
      let object = S3Object(key: "k", modified: modified)
      let due = S3Expiry.midnight(days, after: modified)
      #expect(due.milliseconds % day == 0 && due >= modified + .seconds(days * 86_400))
      #expect(due < modified + .seconds((days + 1) * 86_400))
      #expect(expiry.deletions(of: [object], at: due + .nanoseconds(-1)).isEmpty)
      #expect(expiry.deletions(of: [object], at: due) == [nil])
    }
  }

  @Test func oldVersionsExpireByTheirSuccessors() throws {
    let text = """
      <LifecycleConfiguration><Rule><Status>Enabled</Status><Filter><Prefix>k</Prefix></Filter>
      <NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays>
      <NewerNoncurrentVersions>1</NewerNoncurrentVersions></NoncurrentVersionExpiration></Rule></LifecycleConfiguration>
      """
    let expiry = S3Expiry(try XMLElement(parsing: text.utf8))
    func versions(_ key: String) -> [S3Object] {
      [40, 30, 20, 10].map { S3Object(key: key, version: "v\($0)", modified: Timestamp(milliseconds: $0 * 1000)) }
    }
    let later = Timestamp(milliseconds: 86_400_000 * 2)
    #expect(expiry.deletions(of: versions("k"), at: later) == ["v20", "v10"])
    #expect(expiry.deletions(of: versions("other"), at: later).isEmpty)
    #expect(expiry.deletions(of: versions("k"), at: Timestamp(milliseconds: 86_400_000)).isEmpty)
  }
}
