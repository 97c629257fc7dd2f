// GetTraceGraph: the services of some traces.
// https://docs.aws.amazon.com/xray/latest/api/API_GetTraceGraph.html
import MartletCore
import MartletWire

extension XRay {
  enum GetTraceGraph: Operation {
    static let route = Route.rest("XRay.GetTraceGraph", .post, "/TraceGraph")

    typealias Input = BatchGetTraces.Input

    struct Output: Writable {
      let graph: TraceGraph
      func write(to w: inout Writer) { w.body { graph.write(to: &$0) } }
    }

    static func answer(_ input: Input, _ call: Call, _ xray: XRayService) async throws(AWSError)
      -> Output
    {
      Output(graph: TraceGraph(try await xray.traces(input.ids, call).traces))
    }
  }
}
