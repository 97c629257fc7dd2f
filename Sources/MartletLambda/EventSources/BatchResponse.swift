// What a function says of the records of a batch, if its mapping lets it say so (ReportBatchItemFailures).
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
import MartletWire
import NIOCore

package enum BatchResponse: Sendable, Equatable {
  case success
  /// These have failed, the others have not.
  case failures(Set<String>)
  /// It cannot be understood: everything has failed.
  case malformed

  /// - Parameter ids: of the batch.
  package init(_ payload: ByteBuffer, ids: Set<String>) {
    // A function that answers nothing has nothing to complain of.
    guard payload.readableBytes > 0 else {
      self = .success
      return
    }
    guard let json = try? JSONValue(parsing: payload) else {
      self = .malformed
      return
    }
    guard let list = json["batchItemFailures"], list != .null else {
      self = .success
      return
    }
    guard let items = list.array else {
      self = .malformed
      return
    }
    var failed: Set<String> = []
    for item in items {
      guard let id = item["itemIdentifier"]?.string, ids.contains(id) else {
        self = .malformed
        return
      }
      failed.insert(id)
    }
    self = failed.isEmpty ? .success : .failures(failed)
  }
}
