// From the name that the caller used to the version that runs.
import MartletCore

extension Line {
  /// Waits for a function that is being created, as AWS does for synchronous callers.
  /// - Throws: 404 for an unknown function or qualifier; 409 if the function failed to become active.
  func resolve(_ reference: FunctionReference, in functions: FunctionTable) async throws(AWSError)
    -> FunctionConfiguration
  {
    guard let version = VersionName(reference.qualifier ?? "$LATEST"),
      var configuration = functions.find(reference.key)?.invocable(version)
    else { throw .functionNotFound(reference.arn) }
    if configuration.state == .active { return configuration }
    await functions.wait(for: reference.key) { $0?.invocable(version)?.state != .pending }
    guard let settled = functions.find(reference.key)?.invocable(version) else {
      throw .functionNotFound(reference.arn)
    }
    configuration = settled
    guard configuration.state == .active else { throw .functionState(configuration.state) }
    return configuration
  }
}
