// A group: a filter expression with a name. https://docs.aws.amazon.com/xray/latest/api/API_Group.html
import MartletCore
import MartletStore
import MartletWire

package struct XRayGroup: Document, Equatable {
  package static let kind = "xray-group"

  package let key: ResourceKey
  /// Ends the ARN, so that a group that is made again is another one.
  let suffix: String
  var filter: String?
  var insights = false
  var notifications = false
  var tags: [XRayTag] = []

  /// The most in an account and region.
  static let most = 25

  init(key: ResourceKey, suffix: String) {
    self.key = key
    self.suffix = suffix
  }

  var arn: String {
    ARN(service: "xray", place: key.place, resource: "group/\(key.name)/\(suffix)").description
  }

  package init(document: String, key: ResourceKey) throws(Fault) {
    guard let json = try? JSONValue(parsing: document) else {
      throw Fault("read a group", "\(key.name) is damaged")
    }
    self.key = key
    suffix = json["suffix"]?.string ?? ""
    filter = json["filter"]?.string
    insights = json["insights"]?.bool ?? false
    notifications = json["notifications"]?.bool ?? false
    tags = XRayTag.read(json["tags"])
  }

  package var document: String {
    JSONValue.members(
      ("suffix", .string(suffix)), ("filter", filter.map { .string($0) }),
      ("insights", .bool(insights)),
      ("notifications", .bool(notifications)), ("tags", XRayTag.json(tags))
    ).text
  }

  func write(to w: inout MemberWriter) {
    w.member("GroupName", key.name)
    w.member("GroupARN", arn)
    w.member("FilterExpression", filter)
    w.object("InsightsConfiguration") { w in
      w.member("InsightsEnabled", insights)
      w.member("NotificationsEnabled", notifications)
    }
  }
}

package struct XRayTag: Equatable, Sendable {
  let key: String
  let value: String

  static let most = 50

  static func read(_ json: JSONValue?) -> [XRayTag] {
    (json?.members ?? []).map { XRayTag(key: $0.name, value: $0.value.string ?? "") }
  }

  static func json(_ tags: [XRayTag]) -> JSONValue {
    .object(tags.map { .init($0.key, .string($0.value)) })
  }

  /// - Throws: a TooManyTagsException; nothing is changed then.
  static func merge(_ new: [XRayTag], into old: [XRayTag]) throws(AWSError) -> [XRayTag] {
    var tags = old
    for tag in new {
      tags.removeAll { $0.key == tag.key }
      tags.append(tag)
    }
    guard tags.count <= most else { throw .xrayTooManyTags() }
    return tags
  }
}

extension Members {
  func xrayTags(isRequired: Bool = false) -> [XRayTag] {
    let list =
      isRequired ? requiredObjects("Tags", count: 0...200) : objects("Tags", count: 0...200) ?? []
    return list.map {
      XRayTag(
        key: $0.required("Key", .length(1, 128)), value: $0.required("Value", .length(0, 256)))
    }
  }
}
