// The errors of CloudWatch Logs, in AWS's words.
import MartletCore
import MartletWire

extension AWSError {
  private static func logs(_ code: String, _ message: String) -> AWSError {
    AWSError(code, status: 400, message, type: nil)
  }

  static func logsInvalid(_ message: String) -> AWSError { logs("InvalidParameterException", message) }

  static func logsNoGroup() -> AWSError {
    logs("ResourceNotFoundException", "The specified log group does not exist.")
  }

  static func logsNoStream() -> AWSError {
    logs("ResourceNotFoundException", "The specified log stream does not exist.")
  }

  static func logsGroupExists() -> AWSError {
    logs("ResourceAlreadyExistsException", "The specified log group already exists")
  }

  static func logsStreamExists() -> AWSError {
    logs("ResourceAlreadyExistsException", "The specified log stream already exists")
  }

  static func logsNoFilter(_ kind: String) -> AWSError {
    logs("ResourceNotFoundException", "The specified \(kind) filter does not exist.")
  }

  static func logsNoResource(_ what: String) -> AWSError { logs("ResourceNotFoundException", what) }

  static func logsLimit(_ message: String) -> AWSError { logs("LimitExceededException", message) }

  static func logsTooManyTags() -> AWSError {
    logs("TooManyTagsException", "The number of tags exceeds the limit of 50.")
  }

  static func logsExportOver(_ message: String) -> AWSError { logs("InvalidOperationException", message) }

  static func logsExportBucket(_ bucket: String, _ error: AWSError) -> AWSError {
    error.code == "NoSuchBucket"
      ? logsInvalid("The specified bucket does not exist: \(bucket)")
      : logsInvalid("The bucket \(bucket) cannot be written: \(error.message)")
  }

  static func logsBusy() -> AWSError {
    AWSError("ServiceUnavailableException", status: 500, "The service is currently unavailable.", type: nil)
  }

  static func logsProtected() -> AWSError {
    logs("ValidationException", "The log group cannot be deleted because deletion protection is enabled.")
  }

  /// With the place of the flaw, in characters of the query.
  static func logsMalformed(_ flaw: QueryFlaw) -> AWSError {
    var error = logs("MalformedQueryException", flaw.message)
    let location: JSONValue = .members(
      ("startCharOffset", .integer(Int64(flaw.start))), ("endCharOffset", .integer(Int64(flaw.end))))
    error.documents = [
      ("queryCompileError", JSONValue.members(("location", location), ("message", .string(flaw.message))).text)
    ]
    return error
  }
}
