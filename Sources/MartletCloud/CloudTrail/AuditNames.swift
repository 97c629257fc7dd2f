// What CloudTrail calls what happened, and what it happened to.
import MartletCore
import MartletWire

enum AuditNames {
  // MARK: - Events

  /// Lambda's management events bear the date of the API that they came with, those of its first years a version too.
  /// https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html
  static func event(_ route: Route) -> String {
    guard route.name.hasPrefix("Lambda."), AuditClass.of(route.name) == .management else { return route.action }
    let date = route.path.dropFirst().prefix { $0 != "/" }.filter { $0 != "-" }
    guard date.count == 8, date.allSatisfy(\.isNumber), date < "2020" else { return route.action }
    return route.action + date + (secondVersions.contains(route.action) ? "v2" : "")
  }

  private static let secondVersions: Set<String> = [
    "AddPermission", "GetFunction", "GetFunctionConfiguration", "GetPolicy", "RemovePermission", "TagResource",
    "UntagResource", "UpdateFunctionCode", "UpdateFunctionConfiguration",
  ]

  private static let readingVerbs = [
    "AssumeRole", "BatchGet", "Check", "Decode", "Describe", "Discover", "Estimate", "Filter", "Get", "Head", "List",
    "Lookup", "Query", "Search", "Select", "Simulate", "Test", "Validate",
  ]

  /// True if nothing is changed by it.
  static func isReadOnly(_ action: String) -> Bool { readingVerbs.contains { action.hasPrefix($0) } }

  /// Answers of what changes nothing are not recorded; credentials that STS gives away are an exception.
  static func recordsAnswer(_ route: Route) -> Bool {
    if route.name.hasPrefix("STS.") { return route.action != "GetCallerIdentity" }
    return AuditClass.of(route.name) == .management && !isReadOnly(route.action)
  }

  // MARK: - Resources

  struct Resource: Sendable, Hashable {
    /// `AWS::Lambda::Function`
    let type: String
    /// Name or ARN.
    let name: String
  }

  /// By the service, and the member's name in lower case.
  private static let types: [String: [String: String]] = [
    "CloudTrail": [
      "name": "AWS::CloudTrail::Trail", "trailname": "AWS::CloudTrail::Trail", "trailarn": "AWS::CloudTrail::Trail",
      "s3bucketname": "AWS::S3::Bucket",
    ],
    "CloudWatch": [
      "alarmname": "AWS::CloudWatch::Alarm", "alarmnames": "AWS::CloudWatch::Alarm",
      "dashboardname": "AWS::CloudWatch::Dashboard",
    ],
    "EventBridge": [
      "rule": "AWS::Events::Rule", "rulearn": "AWS::Events::Rule", "eventbusname": "AWS::Events::EventBus",
      "eventbusarn": "AWS::Events::EventBus", "archivename": "AWS::Events::Archive",
    ],
    "IAM": [
      "accesskeyid": "AWS::IAM::AccessKey", "groupname": "AWS::IAM::Group",
      "instanceprofilename": "AWS::IAM::InstanceProfile", "policyarn": "AWS::IAM::Policy",
      "policyname": "AWS::IAM::Policy", "rolename": "AWS::IAM::Role", "username": "AWS::IAM::User",
    ],
    "Kinesis": [
      "streamname": "AWS::Kinesis::Stream", "streamarn": "AWS::Kinesis::Stream",
      "consumerarn": "AWS::Kinesis::StreamConsumer",
    ],
    "Lambda": [
      "functionname": "AWS::Lambda::Function", "functionarn": "AWS::Lambda::Function",
      "layername": "AWS::Lambda::LayerVersion", "layerversionarn": "AWS::Lambda::LayerVersion",
      "uuid": "AWS::Lambda::EventSourceMapping", "codesigningconfigarn": "AWS::Lambda::CodeSigningConfig",
    ],
    "Logs": ["loggroupname": "AWS::Logs::LogGroup", "logstreamname": "AWS::Logs::LogStream"],
    "S3": ["bucketname": "AWS::S3::Bucket"],
    "SNS": ["topicarn": "AWS::SNS::Topic", "subscriptionarn": "AWS::SNS::Subscription"],
    "SQS": ["queuename": "AWS::SQS::Queue", "queueurl": "AWS::SQS::Queue"],
    "STS": ["rolearn": "AWS::IAM::Role"],
    "Scheduler": [
      "schedulearn": "AWS::Scheduler::Schedule", "groupname": "AWS::Scheduler::ScheduleGroup",
      "schedulegrouparn": "AWS::Scheduler::ScheduleGroup",
    ],
    "XRay": ["groupname": "AWS::XRay::Group", "rulename": "AWS::XRay::SamplingRule"],
  ]

  /// What `Name` means, which says it of many things.
  private static func typeOfName(_ service: String, _ action: String) -> String? {
    switch service {
    case "EventBridge":
      for kind in ["Rule", "EventBus", "Archive", "Replay", "Connection", "ApiDestination"] where action.contains(kind)
      {
        return "AWS::Events::\(kind)"
      }
      return nil
    case "SNS": return action == "CreateTopic" ? "AWS::SNS::Topic" : nil
    case "Scheduler": return "AWS::Scheduler::\(action.contains("Group") ? "ScheduleGroup" : "Schedule")"
    default: return nil
    }
  }

  /// What a request names, and what an answer says of it.
  static func resources(
    _ service: String, _ action: String, _ request: [JSONValue.Member], _ answer: [JSONValue.Member]
  ) -> [Resource] {
    var found: [Resource] = []
    func add(_ type: String, _ value: JSONValue) {
      for text in value.array?.compactMap(\.string) ?? [value.string].compactMap({ $0 }) {
        let resource = Resource(type: type, name: text)
        if !text.isEmpty, text != AuditRedaction.hidden, !found.contains(resource) { found.append(resource) }
      }
    }
    for member in request + answer {
      let lower = member.name.lowercased()
      if let type = types[service]?[lower] ?? (lower == "name" ? typeOfName(service, action) : nil) {
        add(type, member.value)
      }
      // `{"role":{"arn":…}}`
      if service == "IAM", let arn = member.value["arn"], let type = types[service]?["\(lower)name"] { add(type, arn) }
    }
    return found
  }
}
