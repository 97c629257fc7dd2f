// GetServiceGraph: the services of all traces of a span of time, or of those of a group.
// https://docs.aws.amazon.com/xray/latest/api/API_GetServiceGraph.html
import MartletCore
import MartletWire

extension XRay {
  enum GetServiceGraph: Operation {
    static let route = Route.rest("XRay.GetServiceGraph", .post, "/ServiceGraph")

    struct Input: Readable {
      let times: XRayTimes
      let group: XRayGroupReference

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        times = XRayTimes(m)
        group = XRayGroupReference(m)
        _ = m.string("NextToken")
      }
    }

    struct Output: Writable {
      let times: XRayTimes
      let graph: TraceGraph

      func write(to w: inout Writer) {
        w.body { w in
          w.member("StartTime", times.start)
          w.member("EndTime", times.end)
          graph.write(to: &w)
          w.member("ContainsOldGroupVersions", false)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ xray: XRayService) async throws(AWSError)
      -> Output
    {
      let times = try input.times.checked()
      var filter: TraceFilter?
      if input.group.isGiven {
        filter = try xray.group(input.group, call).filter.flatMap {
          try? TraceFilterParser.parse($0)
        }
      }
      var graph = TraceGraph()
      var position: TraceStore.Position?
      repeat {
        let page = try await xray.page(times, byArrival: false, after: position, filter, call)
        for (trace, _) in page.found { graph.add(trace) }
        position = page.next
      } while position != nil
      return Output(times: times, graph: graph)
    }
  }
}
