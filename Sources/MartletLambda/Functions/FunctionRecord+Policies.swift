// Where a policy belongs, and the revision that changes with it.
import MartletCore
import MartletWire

extension FunctionRecord {
  /// The revision of a version or an alias, "" = the function; nil if the function has no such thing.
  func revision(of qualifier: String) -> RequestID? {
    if qualifier.isEmpty { return latest.revisionID }
    return aliases[qualifier]?.revisionID ?? VersionName(qualifier).flatMap { configuration($0)?.revisionID }
  }

  /// Gives a version, an alias or the function a new revision.
  private mutating func revise(_ qualifier: String, _ world: any World) {
    let revision = RequestID(from: world)
    if qualifier.isEmpty {
      latest.revisionID = revision
    } else if aliases[qualifier] != nil {
      aliases[qualifier]?.revisionID = revision
    } else if var version = VersionName(qualifier).flatMap({ configuration($0) }) {
      version.revisionID = revision
      put(version)
    }
  }

  /// Puts a policy in its place; one without statements is none.
  mutating func setPolicy(_ policy: ResourcePolicy?, of qualifier: String, _ world: any World) throws(AWSError) {
    if let policy, !policy.statements.isEmpty {
      let size = policy.text.utf8.count
      guard size <= ResourcePolicy.limit else { throw .policyTooLarge(size) }
      policies[qualifier] = policy
    } else {
      policies[qualifier] = nil
    }
    revise(qualifier, world)
  }

  /// The key of what a reference names among the policies.
  /// - Throws: 400 for `$LATEST`, 404 if there is no such version or alias.
  func policyQualifier(_ reference: FunctionReference) throws(AWSError) -> String {
    let qualifier = reference.qualifier ?? ""
    guard qualifier != "$LATEST" else { throw .policyOfLatest() }
    guard revision(of: qualifier) != nil else { throw .targetNotFound(reference) }
    return qualifier
  }
}

extension AWSError {
  /// A version or an alias that is not there, each in its own words.
  fileprivate static func targetNotFound(_ reference: FunctionReference) -> AWSError {
    let name = reference.qualifier ?? ""
    let isAlias = AliasRequest.namePattern.matches(name)
    return isAlias ? .aliasNotFound(reference.arn) : .functionNotFound(reference.arn)
  }
}

extension Reader {
  /// The path's `ResourceArn` of a policy.
  func policyResource() -> String { path("ResourceArn", .length(nil, 512), .pattern(policyResourcePattern)) }
}

private let policyResourcePattern = Pattern(
  #"arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_])+)?|runtime/[a-zA-Z0-9-_./]+)"#
)
let policyRevisionPattern = Pattern(#"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"#)

extension LambdaService {
  /// What an ARN that matches the pattern above names. There are no runtimes of users' own here.
  func policyTarget(_ arn: String, _ call: Call) throws(AWSError) -> FunctionReference {
    guard let name = FunctionNameParts(arn) else { throw .resourceNotFound() }
    return try reference(name, qualifier: nil, call)
  }

  /// A policy with the revision of what it belongs to.
  /// - Throws: 404 if there is none.
  func policy(_ reference: FunctionReference) throws(AWSError) -> PolicyOutput {
    guard let record = functions.find(reference.key), let policy = record.policies[reference.qualifier ?? ""],
      let revision = record.revision(of: reference.qualifier ?? "")
    else { throw .resourceNotFound() }
    return PolicyOutput(policy: policy, revision: revision)
  }
}

/// A policy as an answer.
struct PolicyOutput: Writable, Sendable {
  let policy: ResourcePolicy
  let revision: RequestID

  func write(to w: inout Writer) {
    w.body {
      $0.member("Policy", policy.text)
      $0.member("RevisionId", revision.description)
    }
  }
}
