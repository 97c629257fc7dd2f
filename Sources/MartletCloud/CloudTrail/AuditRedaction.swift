// What the audit may show of a request or an answer: names as CloudTrail spells them, and no secret of anybody's.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
import MartletWire

/// Goes over one document. Pure.
struct AuditRedaction {
  /// Stands for what a request said and nobody may see.
  static let hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"

  /// `Lambda`, as the names of operations begin.
  let service: String
  let action: String
  /// Of an answer secrets are left out; of a request it is told that there was one.
  let isAnswer: Bool
  /// Every text that was hidden, and every name in it.
  private(set) var secrets: Set<String> = []

  init(service: String, action: String, isAnswer: Bool) {
    self.service = service
    self.action = action
    self.isAnswer = isAnswer
  }

  /// What may be shown of members of a request or an answer.
  mutating func shown(_ members: [JSONValue.Member]) -> [JSONValue.Member] {
    shown(members, isMap: false)
  }

  private mutating func shown(_ members: [JSONValue.Member], isMap: Bool) -> [JSONValue.Member] {
    var found: [JSONValue.Member] = []
    for member in members {
      let lower = member.name.lowercased()
      if AuditRedaction.isSignature(lower) { continue }
      if !isMap, isSecret(lower, member.value) {
        collect(member.value)
        if isAnswer || leftOut.contains(lower) || member.value == .null { continue }
        found.append(.init(Reader.lowerCamel(member.name), .string(AuditRedaction.hidden)))
        continue
      }
      let name = isMap ? member.name : Reader.lowerCamel(member.name)
      found.append(.init(name, shown(member.value, isMap: AuditRedaction.maps.contains(lower))))
    }
    return found
  }

  private mutating func shown(_ value: JSONValue, isMap: Bool) -> JSONValue {
    switch value {
    case .object(let members): return .object(shown(members, isMap: isMap))
    case .array(let elements):
      var list: [JSONValue] = []
      for element in elements { list.append(shown(element, isMap: false)) }
      return .array(list)
    default: return value
    }
  }

  private mutating func collect(_ value: JSONValue) {
    switch value {
    case .string(let text): if !text.isEmpty { secrets.insert(text) }
    case .array(let elements): for element in elements { collect(element) }
    case .object(let members):
      for member in members {
        if !member.name.isEmpty { secrets.insert(member.name) }
        collect(member.value)
      }
    case .integer, .double: secrets.insert(value.text)
    case .null, .bool: break
    }
  }

  /// A message that does not repeat what was hidden.
  func shown(message: String) -> String {
    secrets.contains { $0.utf8.count <= message.utf8.count && message.contains($0) } ? AuditRedaction.hidden : message
  }

  // MARK: - What is secret

  /// True of what signs a request in its query.
  static func isSignature(_ lower: String) -> Bool {
    lower.hasPrefix("x-amz-") || ["signature", "securitytoken", "awsaccesskeyid"].contains(lower)
  }

  private func isSecret(_ lower: String, _ value: JSONValue) -> Bool {
    if AuditRedaction.everywhere.contains(lower) { return true }
    if AuditRedaction.members[service]?.contains(lower) == true { return true }
    switch service {
    case "CloudWatch": return lower == "expression" && action.hasSuffix("MetricDataQueryDefinition")
    case "EventBridge": return lower == "value" && action.hasSuffix("Connection")
    // Addresses of people, and of servers that may be told a password in them.
    case "SNS": return lower == "endpoint" && action == "Subscribe" && value.string?.hasPrefix("arn:") != true
    default: return false
    }
  }

  /// In lower case: what no service may show.
  private static let everywhere: Set<String> = [
    "authorization", "clientsecret", "oldpassword", "newpassword", "password", "privatekey", "secretaccesskey",
    "secretstring", "secretbinary", "servicepassword", "servicecredentialsecret", "sessiontoken",
  ]

  /// What the models of the services call sensitive, and what is as good as that.
  private static let members: [String: Set<String>] = [
    "EventBridge": ["apikeyvalue", "graphqloperation", "sql", "sqls"],
    "IAM": ["addprivatekey", "base32stringseed", "qrcodepng"],
    "Lambda": [
      "errordata", "errormessage", "errortype", "inputpayload", "message", "payload", "reason", "result", "stacktrace",
      "variables", "zipfile",
    ],
    "S3": [
      "copysourcessecustomerkey", "keyid", "kmskeyarn", "kmskeyid", "kmsmasterkeyid", "ssecustomerkey",
      "ssekmsencryptioncontext", "ssekmskeyid",
    ],
    "SNS": ["phonenumber", "phonenumbers", "platformcredential", "token"],
    "STS": ["encodedmessage", "decodedmessage", "samlassertion", "tradeintoken", "webidentitytoken"],
  ]

  /// What a request is not even said to have had.
  private var leftOut: Set<String> { service == "Lambda" ? ["variables", "zipfile", "payload"] : [] }

  /// Members whose own members have names of the user's.
  private static let maps: Set<String> = [
    "additionalversionweights", "attributes", "context", "endpoints", "inputpathsmap", "logstreamnames",
    "messageattributes", "options", "overrides", "queryparameters", "requestparameters", "responseparameters", "tags",
  ]
}
