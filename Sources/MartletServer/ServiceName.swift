// Names the service that a request is for, once: from the signature's scope, the target header, the host, the form,
// then the path. Pure, and a golden file of its answers is a test.
import MartletCloud
import MartletCore
import MartletWire
import NIOCore

package enum ServiceName {
  /// The signing name, such as `lambda`, `iam`, `sts` or `s3`, whether or not that service is here.
  package static func of(_ request: HTTPRequest, _ credential: Credential?) -> String {
    if let credential, !credential.service.isEmpty { return credential.service }
    if let target = request.header("X-Amz-Target"), let name = ofTarget(target) { return name }
    if let name = ofServicePath(request.path) { return name }
    if let host = request.header("Host"), let name = ofHost(host) { return name }
    if let name = ofForm(request) { return name }
    if SNSWireService.isCertificate(request.path) { return "sns" }
    // What is no path at all names no bucket either.
    return isLambdaPath(request.path) || request.path.utf8.first != UInt8(ascii: "/") ? "lambda" : "s3"
  }

  /// What stands before the dot of `X-Amz-Target`.
  private static let targets = [
    "AmazonSQS": "sqs", "DynamoDB_20120810": "dynamodb", "DynamoDBStreams_20120810": "dynamodb",
    "Kinesis_20131202": "kinesis", "AWSEvents": "events", "Logs_20140328": "logs", "AmazonSSM": "ssm",
    "secretsmanager": "secretsmanager", "TrentService": "kms", "AWSStepFunctions": "states",
    "AmazonEC2ContainerRegistry_V20150921": "ecr", "CloudTrail_20131101": "cloudtrail",
    "CodeDeploy_20141006": "codedeploy", "ResourceGroupsTaggingAPI_20170126": "tagging",
    "AnyScaleFrontendService": "application-autoscaling", "GraniteServiceVersion20100801": "monitoring",
  ]

  private static func ofTarget(_ target: String) -> String? {
    guard let dot = target.lastIndex(of: ".") else { return nil }
    let prefix = target[..<dot]
    return targets[String(prefix)] ?? prefix.split(separator: ".").last.flatMap { targets[String($0)] }
  }

  /// `/service/{what stands before the dot}/operation/{name}`, the path of Smithy's RPC.
  private static func ofServicePath(_ path: Substring) -> String? {
    guard path.begins(with: "/service/") else { return nil }
    let parts = path.split(separator: "/")
    return parts.count == 4 && parts[2] == "operation" ? targets[String(parts[1])] : nil
  }

  /// Names of hosts whose service signs under another one.
  private static let signing = ["streams": "dynamodb", "email": "ses", "api": "execute-api"]
  /// The services that may be told by the first part of a host.
  private static let hosts: Set<String> = [
    "lambda", "iam", "sts", "s3", "sqs", "sns", "dynamodb", "kinesis", "events", "logs", "monitoring", "kms", "ssm",
    "secretsmanager", "states", "scheduler", "apigateway", "xray", "cloudformation", "cloudtrail", "ecr", "streams",
    "email",
  ]

  /// `iam.amazonaws.com`, `sts.eu-west-1.amazonaws.com`, `bucket.s3.localhost:4566`.
  private static func ofHost(_ host: String) -> String? {
    guard mayNameService(host) else { return nil }
    let name = host.lowercased().prefix { $0 != ":" }
    let labels = name.split(separator: ".").map(String.init)
    let isAWS = name.hasSuffix(".amazonaws.com") || name.hasSuffix(".amazonaws.com.cn") || name.hasSuffix(".api.aws")
    guard isAWS || labels.last == "localhost", labels.count > 1 else {
      return nil
    }
    if let first = labels.first, hosts.contains(first) { return signing[first] ?? first }
    // A bucket's name comes first, and may itself have dots in it.
    let isBucket = labels.dropFirst().contains { $0 == "s3" || $0.hasPrefix("s3-") }
    return isBucket || labels[0].hasPrefix("s3-") ? "s3" : nil
  }

  /// False for an address of numbers and for a name without dots, as most callers of a server of their own use.
  private static func mayNameService(_ host: String) -> Bool {
    host.withBytes { bytes in
      var (hasDot, last) = (false, UInt8(0))
      for byte in bytes {
        if byte == UInt8(ascii: ":") { break }
        if byte == UInt8(ascii: ".") { hasDot = true } else { last = byte }
      }
      return hasDot && !(48...57).contains(last)
    }
  }

  /// The dates of query APIs, which no two services share.
  private static let versions = [
    "2010-05-08": "iam", "2011-06-15": "sts", "2012-11-05": "sqs", "2010-03-31": "sns", "2010-08-01": "monitoring",
    "2010-05-15": "cloudformation", "2011-01-01": "autoscaling", "2015-12-01": "elasticloadbalancing",
    "2016-11-15": "ec2",
  ]

  /// Actions that are links in messages, which name no version.
  private static let links = ["ConfirmSubscription": "sns", "Unsubscribe": "sns"]

  /// A form, or a query with an action in it.
  private static func ofForm(_ request: HTTPRequest) -> String? {
    let isForm =
      request.header("Content-Type").map { type in
        let form: StaticString = "application/x-www-form-urlencoded"
        // Most types are no form, and too short to be one.
        return type.utf8.count >= form.utf8CodeUnitCount && type.lowercased().begins(with: form)
      } ?? false
    guard isForm || request.query?.contains("Action=") == true else { return nil }
    let pairs = request.queryParameters + (isForm ? QueryDocument.pairs(String(buffer: request.body)) : [])
    guard let action = pairs.last(where: { $0.name == "Action" })?.value else { return nil }
    guard let version = pairs.last(where: { $0.name == "Version" })?.value else { return links[action] }
    return versions[version]
  }

  /// Paths of Lambda begin with the date of an API: `/2015-03-31/functions`.
  private static func isLambdaPath(_ path: Substring) -> Bool {
    path.withBytes { bytes in
      guard let start = bytes.firstIndex(where: { $0 != UInt8(ascii: "/") }) else { return false }
      let end = start + 10
      guard bytes.count >= end, bytes.count == end || bytes[end] == UInt8(ascii: "/") else { return false }
      return (0..<10).allSatisfy { i in
        i == 4 || i == 7 ? bytes[start + i] == UInt8(ascii: "-") : (48...57).contains(bytes[start + i])
      }
    }
  }
}
