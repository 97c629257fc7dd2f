// What several operations need of roles and users.
import MartletCore
import MartletStore
import MartletWire

extension IAMService {
  /// - Throws: MalformedPolicyDocument, LimitExceeded.
  func checkTrust(_ document: String) throws(AWSError) {
    _ = try PolicyDocument(parsing: document, for: .trust)
    guard document.charactersWithoutSpace <= limits.trustPolicySize else {
      throw .quota("ACLSizePerRole", limits.trustPolicySize)
    }
  }

  /// The name of the user who calls, for requests that name nobody.
  func callersName(_ call: Call) throws(AWSError) -> String {
    guard let name = call.identity.userName else { throw .userNameMissing() }
    return name
  }

  func roles(of profile: IAMInstanceProfile) -> [IAMRole] {
    guard let role = profile.role else { return [] }
    return roles.find(ResourceKey(place: profile.key.place, name: role.lowercased())).map { [$0] } ?? []
  }

  /// A policy that the caller may change.
  /// - Throws: NoSuchEntity, AccessDenied.
  func ownPolicy(_ arn: String, _ call: Call) throws(AWSError) -> IAMPolicy {
    let policy = try policy(arn, call)
    guard !policy.isAWS else { throw .outsideAccount(arn) }
    return policy
  }
}

/// Roles that services make for themselves.
/// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html
enum ServiceLinkedRole {
  /// Where the name is not simply the service's.
  private static let names = [
    "autoscaling.amazonaws.com": "AutoScaling", "ecs.amazonaws.com": "ECS", "eks.amazonaws.com": "AmazonEKS",
    "elasticache.amazonaws.com": "ElastiCache", "elasticloadbalancing.amazonaws.com": "ElasticLoadBalancing",
    "es.amazonaws.com": "AmazonElasticsearchService", "opensearchservice.amazonaws.com": "AmazonOpenSearchService",
    "rds.amazonaws.com": "RDS", "ssm.amazonaws.com": "AmazonSSM", "ops.apigateway.amazonaws.com": "APIGateway",
    "replicator.lambda.amazonaws.com": "LambdaReplicator",
    "lambda.application-autoscaling.amazonaws.com": "ApplicationAutoScaling_LambdaConcurrency",
    "dynamodb.application-autoscaling.amazonaws.com": "ApplicationAutoScaling_DynamoDBTable",
    "events.amazonaws.com": "CloudWatchEvents", "xray.amazonaws.com": "XRay",
  ]

  /// nil if the service's name is none.
  static func name(service: String, suffix: String?) -> String? {
    guard service.hasSuffix(".amazonaws.com"), let first = service.split(separator: ".").first else { return nil }
    let usual = first.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    return "AWSServiceRoleFor" + (names[service] ?? usual) + (suffix.map { "_\($0)" } ?? "")
  }

  static func trust(service: String) -> String {
    """
    {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"\(service)"},"Action":"sts:AssumeRole"}]}
    """
  }
}
