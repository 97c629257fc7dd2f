// Who may use a version of a layer besides the account that it belongs to.
// https://docs.aws.amazon.com/lambda/latest/api/API_AddLayerVersionPermission.html
import MartletCore
import MartletWire

package struct LayerPolicy: Sendable, Equatable {
  package struct Statement: Sendable, Equatable {
    package let id: String
    /// `*`, or the ARN of an account's root.
    package let principal: String
    /// With `*`: only accounts of this organisation.
    package let organization: String?
  }

  package var revisionID: RequestID
  package var statements: [Statement]

  package init(revisionID: RequestID, statements: [Statement]) {
    self.revisionID = revisionID
    self.statements = statements
  }

  /// The only action that a layer's policy can allow.
  static let action = "lambda:GetLayerVersion"

  /// True if an account may use the version. No account here is in an organisation (UNIMPLEMENTED.txt).
  func allows(_ account: Account) -> Bool {
    statements.contains { statement in
      statement.organization == nil
        && (statement.principal == "*" || ARN(statement.principal)?.account == account.id)
    }
  }

  /// The document that GetLayerVersionPolicy shows.
  func text(resource: String) -> String {
    JSONValue.members(
      ("Version", .string("2012-10-17")), ("Id", .string("default")),
      ("Statement", .array(statements.map { $0.shown(resource: resource) }))
    ).text
  }
}

extension LayerPolicy.Statement {
  /// - Parameter principal: twelve digits, `*`, or the ARN of an account's root.
  init(id: String, granting principal: String, organization: String?) {
    self.id = id
    self.principal = Account(principal).map { "arn:aws:iam::\($0):root" } ?? principal
    self.organization = organization
  }

  /// The statement as policies show it.
  /// - Parameter resource: the ARN of the layer version.
  func shown(resource: String) -> JSONValue {
    .members(
      ("Sid", .string(id)), ("Effect", .string("Allow")),
      ("Principal", principal == "*" ? .string("*") : .members(("AWS", .string(principal)))),
      ("Action", .string(LayerPolicy.action)), ("Resource", .string(resource)),
      ("Condition", organization.map { .members(("StringEquals", .members(("aws:PrincipalOrgID", .string($0))))) }))
  }
}

extension LayerPolicy {
  var json: JSONValue {
    .members(
      ("RevisionId", .string(revisionID.description)),
      (
        "Statements",
        .array(
          statements.map {
            .members(
              ("Id", .string($0.id)), ("Principal", .string($0.principal)),
              ("Organization", $0.organization.map { .string($0) }))
          })
      ))
  }

  init?(json: JSONValue) {
    guard let revision = json["RevisionId"]?.string.flatMap({ RequestID($0) }),
      let statements = json["Statements"]?.array
    else { return nil }
    self.init(revisionID: revision, statements: [])
    for statement in statements {
      guard let id = statement["Id"]?.string, let principal = statement["Principal"]?.string else { return nil }
      self.statements.append(
        Statement(id: id, principal: principal, organization: statement["Organization"]?.string))
    }
  }
}
