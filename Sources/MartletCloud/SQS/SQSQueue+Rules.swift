// The rules for names, tags and dead-letter queues, and pages of lists of queues.
import MartletCore
import MartletStore
import MartletWire
import NIOCore

extension SQSQueue {
  static let mostTags = 50

  /// Letters, digits, hyphens and underscores.
  static func isName(_ name: String, longest: Int) -> Bool {
    (1...longest).contains(name.utf8.count)
      && name.utf8.allSatisfy { byte in
        switch byte {
        case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
      }
  }

  static func checkName(_ name: String, isFIFO: Bool) throws(AWSError) {
    if isFIFO {
      guard name.hasSuffix(".fifo"), isName(String(name.dropLast(5)), longest: 75) else {
        throw .sqsInvalid(
          "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length."
        )
      }
    } else if !isName(name, longest: 80) {
      throw .sqsInvalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
    }
  }

  static func checkTags(_ tags: [(key: String, value: String)]) throws(AWSError) {
    guard tags.count <= mostTags else { throw .sqsInvalid("Too many tags added for the queue.") }
    for tag in tags {
      guard (1...128).contains(tag.key.unicodeScalars.count), !tag.key.lowercased().hasPrefix("aws:") else {
        throw .sqsInvalid("Tag keys must be between 1 and 128 characters in length, and must not start with 'aws:'.")
      }
      guard tag.value.unicodeScalars.count <= 256 else {
        throw .sqsInvalid("Tag values must be between 0 and 256 characters in length.")
      }
    }
  }

  mutating func tag(_ new: [(key: String, value: String)]) {
    for (key, value) in new {
      if let position = tags.firstIndex(where: { $0.key == key }) {
        tags[position].value = value
      } else {
        tags.append(Tag(key: key, value: value))
      }
    }
  }
}

extension AWSError {
  static func sqsTooManyTags(_ queue: String) -> AWSError { sqsInvalid("Too many tags added for queue \(queue).") }
}

extension SQSService {
  /// Bytes of all messages of a batch.
  static let largestBatchSize = 1_048_576

  /// Checks the dead-letter queue that was named, if one was. For the body of a change.
  func checkRedrive(of queue: SQSQueue, _ attributes: [(key: String, value: String)]) throws(AWSError) {
    guard let text = attributes.last(where: { $0.key == "RedrivePolicy" })?.value, !text.isEmpty else { return }
    func refusal(_ reason: String) -> AWSError { .sqsInvalid(text, for: "RedrivePolicy", reason) }
    let policy = try RedrivePolicy(text)
    guard policy.target.place == queue.key.place else {
      throw refusal("Dead-letter queue must be in same account and region as the source.")
    }
    guard policy.target != queue.key else {
      throw refusal("Dead-letter queue must not be the same as the source.")
    }
    guard let target = queues.newest(policy.target) else { throw refusal("Dead letter target does not exist.") }
    guard target.isFIFO == queue.isFIFO else {
      throw refusal("Dead-letter queue must be same type of queue as the source.")
    }
    if let allowed = try target.attributes["RedriveAllowPolicy"].map({ text throws(AWSError) in
      try RedriveAllowPolicy(text)
    }), !allowed.allows(queue.arn) {
      throw refusal("Dead-letter queue does not allow this queue as its source.")
    }
  }
}

/// A page of a list. Without a size there are no pages.
struct SQSPage: Sendable {
  let size: Int?
  let token: String?

  /// What a list without pages has at most.
  static let longest = 1000

  init(_ m: Members) {
    size = m.sqsInteger("MaxResults")
    token = m.text("NextToken")
    if let size, !(1...SQSPage.longest).contains(size) {
      m.refuse(.sqsInvalid(size, for: "MaxResults", "MaxResults must be an integer between 1 and 1000."))
    }
    if size == nil, token != nil {
      m.refuse(.sqsInvalid("MaxResults is a mandatory parameter when you provide a value for NextToken."))
    }
  }

  /// - Parameter names: sorted.
  func cut(_ names: [String]) throws(AWSError) -> (page: [String], token: String?) {
    var rest = names[...]
    if let token {
      guard let bytes = Base64.decode(token) else { throw .sqsInvalid("Invalid or expired next token.") }
      let last = String(buffer: bytes)
      rest = rest.drop { $0 <= last }
    }
    let page = Array(rest.prefix(size ?? SQSPage.longest))
    guard size != nil, page.count < rest.count, let last = page.last else { return (page, nil) }
    return (page, Base64.encode(Array(last.utf8)))
  }
}
