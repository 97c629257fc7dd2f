// Who calls, and in which account and region: read from the signature, which is not verified yet.
import MartletCloud
import MartletCore
import MartletWire

enum Principals {
  /// The account is the one of the user or session that the access key was given to here; else the access key itself
  /// if that is twelve digits; else the default. The region is the one of the signature's scope.
  static func call(for request: HTTPRequest, defaults: Place, world: any World, iam: IAMService?) -> Call {
    var place = defaults
    var caller = Principal.anonymous
    if let credential = credential(of: request) {
      let region = Region(credential.region) ?? defaults.region
      let use = (region: credential.region, service: credential.service)
      if let known = iam?.identity(accessKey: credential.accessKey, token: token(of: request), use: use) {
        caller = .identity(known)
        place = Place(account: known.account, region: region)
      } else {
        caller = .accessKey(credential.accessKey)
        place = Place(account: Account(credential.accessKey) ?? defaults.account, region: region)
      }
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

  /// The token that goes with temporary credentials.
  private static func token(of request: HTTPRequest) -> String? {
    if let header = request.header("X-Amz-Security-Token") { return header }
    guard request.query?.contains("X-Amz-Security-Token=") == true else { return nil }
    return request.queryParameters.first { $0.name == "X-Amz-Security-Token" }?.value
  }
}
