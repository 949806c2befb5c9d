namespace MlNetDistill.Benchmarks;

/// <summary>What is compared at one time.</summary>
/// <param name="Workload">The networks.</param>
/// <param name="Kind">Labels alone, KD, or another method.</param>
/// <param name="BatchSize">Rows of a step.</param>
/// <param name="Threads">Threads of a tensor operation.</param>
internal sealed record Cell(Workload Workload, string Kind, int BatchSize, int Threads)
{
    /// <summary>The training that is measured, then those that it is compared with: loops written by hand, or for methods that nobody writes by hand our KD.</summary>
    public IReadOnlyList<Contender> Contenders(bool hasPyTorch)
    {
        var ours = new Contender(Contender.Ours, Kind);
        return BareLoop.Kinds.Contains(Kind)
            ? [ours, new(Contender.TorchSharp, Kind), .. hasPyTorch ? [new Contender(Contender.PyTorch, Kind)] : Array.Empty<Contender>()]
            : [ours, new(Contender.Ours, OurLoop.ReadsFeaturesOfTeacher(Kind) ? "kd-live" : "kd")];
    }
}
