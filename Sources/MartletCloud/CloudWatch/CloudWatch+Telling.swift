// How services of this server tell CloudWatch their figures.
import Logging
import MartletCore
import MartletWire

extension CloudWatch {
  /// Most data that one call takes.
  private static let most = 1000

  /// - Parameter service: who tells, by its signing name.
  static func tell(
    _ data: [PutMetricData.Datum], space: String, _ place: Place, by service: String, _ world: any World, _ door: Door,
    _ log: Logger
  ) async {
    for start in stride(from: 0, to: data.count, by: most) {
      let call = Call(
        requestID: RequestID(from: world), place: place, caller: .service("\(service).amazonaws.com"),
        host: "localhost", traceHeader: nil)
      do throws(AWSError) {
        let part = Array(data[start..<min(data.count, start + most)])
        _ = try await door.call(PutMetricData.self, .init(space: space, data: part), call)
      } catch {
        log.error("metrics of \(space) were not taken", metadata: ["error": "\(error.note ?? error.message)"])
      }
    }
  }
}
