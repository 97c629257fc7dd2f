// TestMetricFilter: which of some messages a pattern matches, and what it takes out of them.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TestMetricFilter.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum TestMetricFilter: Operation {
    static let route = Route.target("Logs.TestMetricFilter")

    struct Input: Readable {
      let pattern: String
      let messages: [String]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        pattern = m.required("filterPattern", .length(0, 1024))
        messages = m.requiredStrings("logEventMessages", count: 1...50, each: [.length(1, nil)])
      }
    }

    struct Output: Writable {
      let matches: [(number: Int, message: String, values: [(key: String, value: String)])]

      func write(to w: inout Writer) {
        w.body { w in
          w.list("matches", matches) { w, match in
            w.member("eventNumber", match.number)
            w.member("eventMessage", match.message)
            w.member("extractedValues", match.values)
          }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      let pattern = try FilterPattern(input.pattern)
      return Output(
        matches: input.messages.enumerated().compactMap { number, message in
          pattern.extract(message).map { (number + 1, message, $0) }
        })
    }
  }
}
