using CompareMethods.Data;
using MlNetDistill.Methods;
using static System.FormattableString;

namespace CompareMethods;

/// <summary>A setting that the search tries.</summary>
/// <param name="Setting">The setting in words.</param>
/// <param name="Method">The method with this setting.</param>
internal sealed record Candidate(string Setting, DistillationMethod Method)
{
    /// <summary>Number of anchors. They share the epochs, and each has its own learning-rate schedule.</summary>
    public int Anchors { get; init; } = 1;

    /// <summary>Factor of the usual learning rate.</summary>
    public double LearningRateFactor { get; init; } = 1;
}

/// <summary>A method and its candidates. Later methods may use the chosen candidates of earlier ones.</summary>
/// <param name="Method">Its name.</param>
/// <param name="CreateCandidates">Creates the candidates; the argument finds the chosen candidate of an earlier method.</param>
internal sealed record ComparedMethod(string Method, Func<Func<string, Candidate>, IReadOnlyList<Candidate>> CreateCandidates);

/// <summary>The methods that are compared, with the same number of candidates for each.</summary>
internal static class Candidates
{
    public const string Alone = "Student alone";
    public const string Kd = "KD";
    public const string Dist = "DIST";
    public const string Rco = "RCO";

    /// <summary>Checkpoints of the teacher's route: a number that 2, 3 and 4 anchors divide into equal parts, as they do the epochs.</summary>
    public const int MostAnchors = 12;

    public static IReadOnlyList<ComparedMethod> For(Workload work) =>
    [
        .. CreateMethods(work)
            .Select(c => c.Method == Alone ? c : AtRateOfAlone(c))
            .Select(c => c with { CreateCandidates = chosen => [.. c.CreateCandidates(chosen).Take(work.Tries)] }),
    ];

    private static IReadOnlyList<ComparedMethod> CreateMethods(Workload work) =>
    [
        // Without a teacher there is no setting of a method, so the search is over the learning rate. All other methods use the chosen rate, so that the rows of the
        // table differ only in the method.
        new(Alone, _ => [.. new[] { 1, 0.5, 2 }.Select(LabelsOnly)]),
        new(Kd, _ => [KdWith(4, 0.9), KdWith(2, 0.9), KdWith(4, 0.5)]),
        new(Dist, _ => [DistWith(4, 2), DistWith(1, 2), DistWith(4, 1)]),
        new("CCKD", _ => [.. new[] { 1.0, 10, 100 }.Select(CckdWith)]),
        new(Rco, chosen => Routes(work, chosen(Kd))),
        new("RCO×DIST", chosen => Routes(work, chosen(Dist))),
        new("SSKD", _ => Stages(work.StudentStages, trainBackboneWithHead: false)),
        // Not as published: the head's stage trains the whole student, starting from the result of the earlier stages.
        new("SSKD, unfrozen", _ => Stages(work.StudentStages, trainBackboneWithHead: true)),
    ];

    private static ComparedMethod AtRateOfAlone(ComparedMethod method) => method with
    {
        CreateCandidates = chosen => [.. method.CreateCandidates(chosen).Select(candidate => candidate with { LearningRateFactor = chosen(Alone).LearningRateFactor })],
    };

    private static Candidate LabelsOnly(double factor) =>
        new(Invariant($"learning rate × {factor}"), DistillationMethod.LabelsOnly()) { LearningRateFactor = factor };

    private static Candidate KdWith(double temperature, double alpha) =>
        new(Invariant($"T = {temperature}, α = {alpha}"), DistillationMethod.Kd(temperature, alpha));

    private static Candidate DistWith(double temperature, double weight) =>
        new(Invariant($"τ = {temperature}, weights {weight}"), DistillationMethod.Dist(temperature, weight, weight));

    private static Candidate CckdWith(double beta) => new(Invariant($"β = {beta}"), DistillationMethod.Cckd(beta: beta));

    private static IReadOnlyList<Candidate> Routes(Workload work, Candidate inner) =>
        [.. new[] { 2, 3, 4 }.Select(anchors => new Candidate(
            $"{anchors} anchors, {inner.Setting}", DistillationMethod.Rco(inner.Method, AnchorSelection.EqualInterval(work.TeacherEpochs / anchors)))
        {
            Anchors = anchors,
        })];

    private static IReadOnlyList<Candidate> Stages(int stages, bool trainBackboneWithHead)
    {
        Candidate CreateCandidate(double forHead) => new(
            Invariant($"{100 * forHead:0} % of the epochs for the head"),
            DistillationMethod.Sskd(
                shares: [.. Enumerable.Repeat((1 - forHead) / stages, stages), forHead], trainBackboneWithHead: trainBackboneWithHead));
        return [CreateCandidate(0.25), CreateCandidate(0.5), CreateCandidate(0.75)];
    }
}
