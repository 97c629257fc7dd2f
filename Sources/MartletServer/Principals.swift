// Who calls, and in which account and region: read from the signature, which is not verified until IAM is built.
import MartletCore
import MartletWire

enum Principals {
  /// The account is the access key if that is twelve digits; the region is the one of the signature's scope.
  static func call(for request: HTTPRequest, defaults: Place, world: any World) -> Call {
    var place = defaults
    var caller = Principal.anonymous
    if let credential = credential(of: request) {
      caller = .accessKey(credential.accessKey)
      place = Place(
        account: Account(credential.accessKey) ?? defaults.account, region: Region(credential.region) ?? defaults.region
      )
    }
    return Call(
      requestID: RequestID(from: world), place: place, caller: caller, host: request.header("Host") ?? "localhost",
      traceHeader: request.header("X-Amzn-Trace-Id"))
  }

  static func credential(of request: HTTPRequest) -> Credential? {
    if let header = request.header("Authorization") { return Credential(authorization: header) }
    guard request.query?.contains("X-Amz-Credential=") == true else { return nil }
    return request.queryParameters.first { $0.name == "X-Amz-Credential" }.flatMap { Credential(scope: $0.value) }
  }
}
