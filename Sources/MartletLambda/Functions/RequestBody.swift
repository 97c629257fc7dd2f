// Bodies that did not arrive whole must not be taken for empty ones.
import MartletCore
import MartletWire

extension Reader {
  /// The body's members. Operations whose bodies carry code look for themselves, to show the limit that is in force.
  func smallBody(_ operation: String) throws(AWSError) -> Members {
    if request.bodyExceedsLimit { throw .requestTooLarge(operation, limit: LambdaLimits().requestSize) }
    return try body()
  }
}
