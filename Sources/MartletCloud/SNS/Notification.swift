// A message as its subscribers see it: a document for HTTP and SQS, an event for Lambda, and what is signed of it.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
import MartletCore
import MartletWire
import NIOCore

/// One message on its way to one subscription, as it lies in the outbox.
struct Notification: Sendable, Equatable {
  enum Kind: String, Sendable {
    case notification = "Notification"
    case confirmation = "SubscriptionConfirmation"
    case goodbye = "UnsubscribeConfirmation"
  }

  var kind = Kind.notification
  let id: String
  let topic: String
  /// As the protocol of the subscription gets it.
  let message: String
  var subject: String?
  var attributes: [SNS.Attribute] = []
  /// Milliseconds since 1970.
  let published: Int64
  /// `1` or `2`; nil = it is not signed, as those of FIFO topics are not.
  var signatureVersion: String?
  var sequenceNumber: String?
  var groupID: String?
  var deduplicationID: String?
  var traceHeader: String?
  var token: String?

  init(id: String, topic: String, message: String, published: Int64) {
    self.id = id
    self.topic = topic
    self.message = message
    self.published = published
  }

  // MARK: - On disk

  init?(parcel json: JSONValue) {
    guard let kind = json["kind"]?.string.flatMap({ Kind(rawValue: $0) }), let id = json["id"]?.string,
      let topic = json["topic"]?.string, let message = json["message"]?.string, let published = json["at"]?.integer
    else { return nil }
    self.init(id: id, topic: topic, message: message, published: Int64(published))
    self.kind = kind
    subject = json["subject"]?.string
    attributes = (json["attributes"]?.array ?? []).map { json in
      SNS.Attribute(
        name: json["n"]?.string ?? "", type: json["t"]?.string ?? "", string: json["s"]?.string,
        binary: json["b"]?.string.flatMap { Base64.decode($0) }.map { Array($0.readableBytesView) })
    }
    signatureVersion = json["signature"]?.string
    sequenceNumber = json["sequence"]?.string
    groupID = json["group"]?.string
    deduplicationID = json["deduplication"]?.string
    traceHeader = json["trace"]?.string
    token = json["token"]?.string
  }

  var parcel: [UInt8] {
    func text(_ value: String?) -> JSONValue? { value.map { .string($0) } }
    let attributes: JSONValue = .array(
      attributes.map { attribute in
        .members(
          ("n", .string(attribute.name)), ("t", .string(attribute.type)), ("s", text(attribute.string)),
          ("b", attribute.binary.map { .string(Base64.encode($0)) }))
      })
    let json: JSONValue = .members(
      ("kind", .string(kind.rawValue)), ("id", .string(id)), ("topic", .string(topic)), ("message", .string(message)),
      ("at", .integer(published)), ("subject", text(subject)), ("attributes", attributes),
      ("signature", text(signatureVersion)), ("sequence", text(sequenceNumber)), ("group", text(groupID)),
      ("deduplication", text(deduplicationID)), ("trace", text(traceHeader)), ("token", text(token)))
    return Array(json.text.utf8)
  }

  // MARK: - Signed

  var timestamp: String { Timestamp(milliseconds: published).iso8601 }

  /// What the signature is over: names and values on lines of their own, in the order of the names.
  /// https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
  func signedText(_ links: NotificationLinks) -> String {
    var lines = ["Message", message, "MessageId", id]
    if kind == .notification {
      if let subject { lines += ["Subject", subject] }
      lines += ["Timestamp", timestamp]
    } else {
      lines += ["SubscribeURL", links.subscribe(topic, token ?? ""), "Timestamp", timestamp, "Token", token ?? ""]
    }
    lines += ["TopicArn", topic, "Type", kind.rawValue]
    return lines.joined(separator: "\n") + "\n"
  }

  /// - Parameter value: nil = it is not signed.
  struct Signature: Sendable {
    let value: String
    let certificateURL: String
  }

  // MARK: - Shown

  /// The document, laid out as AWS lays it out.
  func document(_ links: NotificationLinks, _ signature: Signature?, subscription: String) -> String {
    var lines: [String] = []
    func add(_ name: String, _ value: String?) {
      guard let value else { return }
      lines.append("  \"\(name)\" : \(JSONValue.string(value).text)")
    }
    add("Type", kind.rawValue)
    add("MessageId", id)
    add("SequenceNumber", sequenceNumber)
    add("Token", token)
    add("TopicArn", topic)
    add("Subject", subject)
    add("Message", message)
    if kind != .notification { add("SubscribeURL", links.subscribe(topic, token ?? "")) }
    add("Timestamp", timestamp)
    if let signature {
      add("SignatureVersion", signatureVersion)
      add("Signature", signature.value)
      add("SigningCertURL", signature.certificateURL)
    }
    if kind == .notification { add("UnsubscribeURL", links.unsubscribe(subscription)) }
    if !attributes.isEmpty {
      let members = attributes.map { "    \(JSONValue.string($0.name).text) : \(Notification.shown($0).text)" }
      lines.append("  \"MessageAttributes\" : {\n\(members.joined(separator: ",\n"))\n  }")
    }
    return "{\n\(lines.joined(separator: ",\n"))\n}"
  }

  /// The event that a function gets.
  func event(_ links: NotificationLinks, _ signature: Signature?, subscription: String) -> String {
    func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
    return JSONValue.members(
      (
        "Records",
        .array([
          .members(
            ("EventSource", .string("aws:sns")), ("EventVersion", .string("1.0")),
            ("EventSubscriptionArn", .string(subscription)),
            (
              "Sns",
              .members(
                ("Type", .string(kind.rawValue)), ("MessageId", .string(id)), ("TopicArn", .string(topic)),
                ("Subject", text(subject)), ("Message", .string(message)), ("Timestamp", .string(timestamp)),
                ("SignatureVersion", text(signatureVersion)), ("Signature", text(signature?.value)),
                ("SigningCertUrl", text(signature?.certificateURL)),
                ("UnsubscribeUrl", .string(links.unsubscribe(subscription))),
                (
                  "MessageAttributes",
                  .object(attributes.map { .init($0.name, Notification.shown($0)) })
                ))
            ))
        ])
      )
    ).text
  }

  private static func shown(_ attribute: SNS.Attribute) -> JSONValue {
    .members(
      ("Type", .string(attribute.type)),
      ("Value", .string(attribute.string ?? attribute.binary.map { Base64.encode($0) } ?? "")))
  }
}

/// The links in messages, which lead to this server.
struct NotificationLinks: Sendable {
  let host: String

  func certificate(_ name: String) -> String { "http://\(host)/\(name)" }
  func subscribe(_ topic: String, _ token: String) -> String {
    "http://\(host)/?Action=ConfirmSubscription&TopicArn=\(topic)&Token=\(token)"
  }
  func unsubscribe(_ subscription: String) -> String {
    "http://\(host)/?Action=Unsubscribe&SubscriptionArn=\(subscription)"
  }
}
