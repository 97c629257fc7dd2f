// A schedule group: a name for schedules that belong together, and what bears their tags.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateScheduleGroup.html
import MartletCore
import MartletStore
import MartletWire

package struct ScheduleGroup: Document, Equatable {
  package static let kind = "scheduler-group"

  package let key: ResourceKey
  /// nil of the group `default` as long as nothing was said of it: it is always there.
  var created: Timestamp?
  var modified: Timestamp?
  var isDeleting = false
  /// In the order in which they were set.
  var tags: [Tag] = []
  /// Of the request that made it.
  var token: String?

  struct Tag: Equatable, Sendable {
    let key: String
    let value: String
  }

  init(key: ResourceKey, created: Timestamp?, tags: [Tag] = [], token: String? = nil) {
    self.key = key
    self.created = created
    modified = created
    self.tags = tags
    self.token = token
  }

  var arn: String { ARN(service: "scheduler", place: key.place, resource: "schedule-group/\(key.name)").description }

  static let mostTags = 50

  /// - Throws: a ServiceQuotaExceededException; nothing is changed then.
  mutating func tag(_ new: [Tag]) throws(AWSError) {
    var tags = tags
    for tag in new {
      tags.removeAll { $0.key == tag.key }
      tags.append(tag)
    }
    guard tags.count <= ScheduleGroup.mostTags else { throw .schedulerTooManyTags(ScheduleGroup.mostTags) }
    self.tags = tags
  }

  // MARK: - On disk

  package init(document: String, key: ResourceKey) throws(Fault) {
    guard let json = try? JSONValue(parsing: document) else { throw Fault("read a group", "\(key.name) is damaged") }
    self.key = key
    created = (json["created"]?.integer).map { Timestamp(nanoseconds: Int64($0)) }
    modified = (json["modified"]?.integer).map { Timestamp(nanoseconds: Int64($0)) }
    isDeleting = json["isDeleting"]?.bool ?? false
    tags = (json["tags"]?.members ?? []).map { Tag(key: $0.name, value: $0.value.string ?? "") }
    token = json["token"]?.string
  }

  package var document: String {
    JSONValue.members(
      ("created", created.map { .integer($0.nanoseconds) }), ("modified", modified.map { .integer($0.nanoseconds) }),
      ("isDeleting", .bool(isDeleting)), ("tags", .object(tags.map { .init($0.key, .string($0.value)) })),
      ("token", token.map { .string($0) })
    ).text
  }

  // MARK: - Answers

  func write(to w: inout MemberWriter) {
    w.member("Arn", arn)
    w.member("Name", key.name)
    w.member("State", isDeleting ? "DELETING" : "ACTIVE")
    w.moment("CreationDate", created)
    w.moment("LastModificationDate", modified)
  }
}

extension Members {
  /// The member `Tags`: pairs.
  func schedulerTags(isRequired: Bool) -> [ScheduleGroup.Tag] {
    let list = isRequired ? requiredObjects("Tags", count: 0...200) : objects("Tags", count: 0...200) ?? []
    return list.map {
      ScheduleGroup.Tag(key: $0.required("Key", .length(1, 128)), value: $0.required("Value", .length(1, 256)))
    }
  }
}
