// Who may use a function, a version or an alias, besides those whom their own account lets: a policy document as it is.
// https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
import MartletCore
import MartletWire

/// Everything in the document is kept, also what this program knows nothing of. The policy's revision is that of the
/// function, version or alias that it belongs to.
package struct ResourcePolicy: Attachment {
  /// A JSON object that `ResourcePolicy.check` has found to be a policy.
  package private(set) var document: JSONValue

  /// Bytes of a document as it is shown.
  static let limit = 20_480

  /// The policy to which AddPermission adds its first statement.
  package init() {
    document = .members(("Version", .string("2012-10-17")), ("Id", .string("default")), ("Statement", .array([])))
  }

  /// - Parameter document: an object.
  package init?(json document: JSONValue) {
    guard case .object = document else { return nil }
    self.document = document
  }

  package var json: JSONValue { document }

  /// The document as answers show it.
  package var text: String { document.text }

  /// Documents may have a single statement without a list around it.
  package var statements: [JSONValue] {
    get { document["Statement"].map { $0.array ?? [$0] } ?? [] }
    set {
      let members = (document.members ?? []).map { $0.name == "Statement" ? .init("Statement", .array(newValue)) : $0 }
      document = .object(members)
    }
  }

  package func hasStatement(_ id: String) -> Bool { statements.contains { $0["Sid"]?.string == id } }

  /// False if there is no such statement.
  package mutating func remove(_ id: String) -> Bool {
    let rest = statements.filter { $0["Sid"]?.string != id }
    guard rest.count < statements.count else { return false }
    statements = rest
    return true
  }
}

/// What AddPermission says: becomes one statement.
package struct PermissionGrant: Sendable {
  package let id: String
  package let action: String
  package let principal: String
  package var sourceARN: String?
  package var sourceAccount: String?
  package var eventSourceToken: String?
  package var organization: String?
  package var urlAuthType: String?
  package var invokedViaURL: Bool?

  package init(id: String, action: String, principal: String) {
    self.id = id
    self.action = action
    self.principal = principal
  }

  /// `*`, an account, an identity of IAM or a service of AWS. That the identity exists is not checked.
  /// - Throws: 400 for anything else.
  private func shownPrincipal() throws(AWSError) -> JSONValue {
    if principal == "*" { return .string("*") }
    if let account = Account(principal) { return .members(("AWS", .string("arn:aws:iam::\(account):root"))) }
    if let arn = ARN(principal), arn.partition.hasPrefix("aws"), ["iam", "sts"].contains(arn.service),
      Account(arn.account) != nil
    {
      return .members(("AWS", .string(principal)))
    }
    let isName = principal.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 46 }
    let isAWS = [".amazonaws.com", ".amazonaws.com.cn", ".amazon.com"].contains { principal.hasSuffix($0) }
    guard isName, isAWS, !principal.hasPrefix(".") else { throw .invalidPrincipal() }
    return .members(("Service", .string(principal)))
  }

  /// The statement, as policies show it.
  /// - Parameter resource: the ARN of the function, version or alias.
  package func statement(resource: String) throws(AWSError) -> JSONValue {
    if urlAuthType != nil, action != "lambda:InvokeFunctionUrl" { throw .urlAuthTypeOfOtherAction() }
    func condition(_ members: (name: String, value: String?)...) -> JSONValue? {
      let members = members.compactMap { member in member.value.map { JSONValue.Member(member.name, .string($0)) } }
      return members.isEmpty ? nil : .object(members)
    }
    let conditions = JSONValue.members(
      (
        "StringEquals",
        condition(
          ("lambda:FunctionUrlAuthType", urlAuthType), ("AWS:SourceAccount", sourceAccount),
          ("lambda:EventSourceToken", eventSourceToken), ("aws:PrincipalOrgID", organization))
      ),
      ("Bool", condition(("lambda:InvokedViaFunctionUrl", invokedViaURL.map { $0 ? "true" : "false" }))),
      ("ArnLike", condition(("AWS:SourceArn", sourceARN))))
    return .members(
      ("Sid", .string(id)), ("Effect", .string("Allow")), ("Principal", try shownPrincipal()),
      ("Action", .string(action)), ("Resource", .string(resource)),
      ("Condition", conditions.members?.isEmpty == false ? conditions : nil))
  }
}
