// Tags of objects and buckets: as documents, as the header of a PUT, and the rules for them.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
import MartletCore
import MartletWire

struct S3Tags: Sendable, Equatable {
  struct Tag: Sendable, Equatable {
    let key: String
    let value: String
  }

  var all: [Tag]

  static let mostOfObject = 10
  static let mostOfBucket = 50

  init(_ all: [Tag] = []) { self.all = all }

  /// - Parameter document: one that satisfies the schema.
  init(_ document: XMLElement) {
    all = (document.child("TagSet")?.children ?? []).map { Tag(key: $0["Key"] ?? "", value: $0["Value"] ?? "") }
  }

  /// The form in which `x-amz-tagging` has them: `key=value&…`.
  /// - Throws: `InvalidArgument`, or `InvalidTag` for what is no tag of an object.
  init(header: String) throws(AWSError) {
    all = []
    for pair in header.split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let tag = Tag(
        key: Percent.decode(parts[0], plus: true),
        value: parts.count > 1 ? Percent.decode(parts[1], plus: true) : "")
      guard !tag.key.isEmpty, !all.contains(where: { $0.key == tag.key }) else {
        throw .invalidArgument(
          "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag "
            + "name duplicates.", name: "x-amz-tagging", value: header)
      }
      all.append(tag)
    }
    if let refusal = refusal(isObject: true) { throw refusal }
  }

  func refusal(isObject: Bool) -> AWSError? {
    guard all.count <= (isObject ? S3Tags.mostOfObject : S3Tags.mostOfBucket) else {
      return .s3BadRequest(
        isObject
          ? "Object tags cannot be greater than \(S3Tags.mostOfObject)"
          : "Bucket tag count cannot be greater than \(S3Tags.mostOfBucket)")
    }
    for tag in all {
      if !S3Tags.isText(tag.key, 1...128) {
        return .s3InvalidTag("The TagKey you have provided is invalid", key: tag.key, value: nil)
      }
      if !S3Tags.isText(tag.value, 0...256) {
        return .s3InvalidTag("The TagValue you have provided is invalid", key: tag.key, value: tag.value)
      }
      if tag.key.hasPrefix("aws:") {
        return .s3InvalidTag("System tags cannot be added/updated by requester", key: tag.key, value: nil)
      }
      if all.count(where: { $0.key == tag.key }) > 1 {
        return .s3InvalidTag("Cannot provide multiple Tags with the same key", key: tag.key, value: nil)
      }
    }
    return nil
  }

  /// Letters, numbers, spaces and `_.:/=+-@` of all languages.
  private static func isText(_ text: String, _ length: ClosedRange<Int>) -> Bool {
    length.contains(text.unicodeScalars.count)
      && text.unicodeScalars.allSatisfy { scalar in
        let properties = scalar.properties
        return properties.isAlphabetic || properties.numericType != nil || scalar == " "
          || properties.generalCategory == .nonspacingMark || properties.generalCategory == .spacingMark
          || "_.:/=+-@".unicodeScalars.contains(scalar)
      }
  }

  var document: XMLElement {
    XMLElement(
      "Tagging",
      children: [
        XMLElement(
          "TagSet",
          children: all.map {
            XMLElement("Tag", children: [XMLElement("Key", text: $0.key), XMLElement("Value", text: $0.value)])
          })
      ])
  }
}
