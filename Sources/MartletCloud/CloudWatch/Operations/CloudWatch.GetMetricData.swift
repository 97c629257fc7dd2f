// GetMetricData: many metrics at once, and expressions over them.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
import MartletCore
import MartletWire

extension CloudWatch {
  enum GetMetricData: Operation {
    static let route = Route.target("CloudWatch.GetMetricData")
    private static let most = 500
    static let largestPage = 100_800

    struct Input: Readable {
      let queries: [MetricQuery]
      let span: MetricSpan
      let isAscending: Bool
      let token: String?
      let pageSize: Int

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        queries = m.requiredObjects("MetricDataQueries").map { MetricQuery($0) }
        span = MetricSpan(m, period: 60)
        isAscending =
          m.string("ScanBy", .oneOf(["TimestampDescending", "TimestampAscending"])) == "TimestampAscending"
        token = m.string("NextToken")
        pageSize = m.integer("MaxDatapoints", in: Int.min...Int.max) ?? largestPage
        _ = m.object("LabelOptions")?.string("Timezone")
        if queries.count > most {
          m.refuse(
            .cloudWatchValidation("The collection MetricDataQueries must not have a size greater than \(most)."))
        }
        if Set(queries.map(\.id)).count < queries.count {
          m.refuse(.cloudWatchValidation("The values for parameter id in MetricDataQueries are not unique."))
        }
        if !(1...largestPage).contains(pageSize) {
          m.refuse(.cloudWatchValidation("The parameter MaxDatapoints must be between 1 and \(largestPage)."))
        }
      }
    }

    struct Output: Writable {
      let results: [MetricResult]
      let token: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.list("MetricDataResults", results) { $1.write(to: &$0) }
          w.member("NextToken", token)
          w.list("Messages", [MetricResult.Message]()) { $1.write(to: &$0) }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ cloudWatch: CloudWatchService) async throws(AWSError) -> Output {
      await cloudWatch.metrics.written()
      let all = try await cloudWatch.results(of: input.queries, input.span, call.place)
      return try page(all.map { input.isAscending ? $0 : $0.reversed() }, input)
    }

    /// Goes on at a value, counted over all results.
    private static func page(_ all: [MetricResult], _ input: Input) throws(AWSError) -> Output {
      var (skipped, room) = (try CloudWatchPage.position(input.token), input.pageSize)
      let position = skipped
      var results: [MetricResult] = []
      for var result in all {
        if skipped > 0, skipped >= result.values.count {
          skipped -= result.values.count
          continue
        }
        guard room > 0 || result.values.isEmpty else {
          return Output(results: results, token: CloudWatchPage.token(position + input.pageSize))
        }
        result.values = Array(result.values.dropFirst(skipped).prefix(room))
        let isWhole =
          skipped + result.values.count == all.first { $0.id == result.id && $0.label == result.label }?.values.count
        room -= result.values.count
        skipped = 0
        if !isWhole { result.status = "PartialData" }
        results.append(result)
        if !isWhole { return Output(results: results, token: CloudWatchPage.token(position + input.pageSize)) }
      }
      return Output(results: results, token: nil)
    }
  }
}
