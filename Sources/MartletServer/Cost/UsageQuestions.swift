// Where the metrics of Martlet/Cost belong in a `Usage`.
import MartletLambda

package enum UsageQuestions {
  package static let space = LambdaMetrics.useSpace

  package static let all: [(name: String, member: any WritableKeyPath<Usage, Int64> & Sendable)] = LambdaMetrics.Use
    .allCases.map { ($0.rawValue, member($0)) }

  private static func member(_ use: LambdaMetrics.Use) -> any WritableKeyPath<Usage, Int64> & Sendable {
    switch use {
    case .requests: \.requests
    case .billedDuration: \.billed
    case .onDemand: \.onDemand
    case .provisionedDuration: \.provisionedDuration
    case .provisioned: \.provisioned
    case .storage: \.storage
    case .streamed: \.streamed
    }
  }
}
