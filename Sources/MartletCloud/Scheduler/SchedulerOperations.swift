// The table of the service: every operation of AWS's model, one row each, and what its requests have in common.
import MartletCore
import MartletWire
import NIOCore

extension SchedulerService {
  package static let rows: [OperationRow<SchedulerService>] = [
    .init(Scheduler.CreateSchedule.self),
    .init(Scheduler.CreateScheduleGroup.self),
    .init(Scheduler.DeleteSchedule.self),
    .init(Scheduler.DeleteScheduleGroup.self),
    .init(Scheduler.GetSchedule.self),
    .init(Scheduler.GetScheduleGroup.self),
    .init(Scheduler.ListScheduleGroups.self),
    .init(Scheduler.ListSchedules.self),
    .init(Scheduler.ListTagsForResource.self),
    .init(Scheduler.TagResource.self),
    .init(Scheduler.UntagResource.self),
    .init(Scheduler.UpdateSchedule.self),
  ]
}

enum SchedulerNames {
  static let pattern = Pattern("[0-9a-zA-Z-_.]+")
  static let tokenPattern = Pattern("[a-zA-Z0-9-_]+")
  static let groupARN = Pattern(
    #"arn:aws[a-z-]*:scheduler:[a-z0-9\-]+:\d{12}:schedule-group\/[0-9a-zA-Z-_.]+"#)
}

extension Reader {
  func scheduleName() -> String { path("Name", .length(1, 64), .pattern(SchedulerNames.pattern)) }

  /// The query's `groupName`.
  func scheduleGroup() -> String {
    query("groupName", .length(1, 64), .pattern(SchedulerNames.pattern)) ?? Schedule.defaultGroup
  }

  /// The query's `clientToken`.
  func schedulerToken() -> String? {
    query("clientToken", .length(1, 64), .pattern(SchedulerNames.tokenPattern))
  }

  func schedulerPrefix() -> String {
    query("NamePrefix", .length(1, 64), .pattern(SchedulerNames.pattern)) ?? ""
  }

  /// The ARN of a group, which alone has tags.
  func schedulerResource() -> String {
    path("ResourceArn", .length(1, 1011), .pattern(SchedulerNames.groupARN))
  }
}

/// How lists are read in parts: `NextToken`, `MaxResults`.
struct SchedulerPage: Sendable {
  private let token: String?
  private let count: Int
  private static let usualCount = 100

  init(_ r: Reader) {
    token = r.query("NextToken", .length(1, 2048))
    count = r.queryInteger("MaxResults", in: 1...100) ?? SchedulerPage.usualCount
  }

  /// A part of a list that is in the order of `name`.
  func cut<Element>(
    _ all: [Element], by name: (Element) -> String
  ) throws(AWSError) -> (elements: [Element], next: String?) {
    var rest = all[...]
    if let token {
      guard let bytes = Base64.decode(token) else { throw .schedulerInvalidToken() }
      let last = String(buffer: bytes)
      rest = rest.drop { name($0) <= last }
    }
    let part = Array(rest.prefix(count))
    guard part.count < rest.count, let last = part.last else { return (part, nil) }
    return (part, Base64.encode(Array(name(last).utf8)))
  }
}
