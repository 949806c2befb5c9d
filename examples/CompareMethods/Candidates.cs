using CompareMethods.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
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

    /// <summary>The student, where the method adds something to it; null for the student of all others.</summary>
    public NetworkSpec? Student { get; init; }
}

/// <summary>A method and its candidates. Later methods may use the chosen candidates of earlier ones.</summary>
/// <param name="Method">Its name.</param>
/// <param name="CreateCandidates">Creates the candidates, given the data with the networks, and what finds the chosen candidate of an earlier method.</param>
internal sealed record ComparedMethod(string Method, Func<Workload, Func<string, Candidate>, IReadOnlyList<Candidate>> CreateCandidates)
{
    /// <summary>The method whose chosen candidate it uses, if it is not always trained.</summary>
    public string? Uses { get; init; }

    /// <summary>Parts that the student's backbone must have.</summary>
    public int FewestStages { get; init; } = 1;
}

/// <summary>The methods that can be compared, with the same number of candidates for each.</summary>
internal static class Candidates
{
    public const string Alone = "Student alone";
    public const string Kd = "KD";
    public const string Rco = "RCO";
    private const string Dist = "DIST";

    /// <summary>Checkpoints of the teacher's route: a number that 2, 3 and 4 anchors divide into equal parts, as they do the epochs.</summary>
    public const int MostAnchors = 12;

    private static readonly ComparedMethod[] All =
    [
        // Without a teacher there is no setting of a method, so the search is over the learning rate. All other methods use the chosen rate, so that the rows of the
        // table differ only in the method.
        new(Alone, (_, _) => [.. new[] { 1, 0.5, 2 }.Select(LabelsOnly)]),
        new(Kd, (_, _) => [KdWith(4, 0.9), KdWith(2, 0.9), KdWith(4, 0.5)]),
        new(Dist, (_, _) => [DistWith(4, 2), DistWith(1, 2), DistWith(4, 1)]),
        new("CCKD", (_, _) => [.. new[] { 1.0, 10, 100 }.Select(CckdWith)]),
        new(Rco, (work, chosen) => Routes(work, chosen(Kd))),
        new("RCO×DIST", (work, chosen) => Routes(work, chosen(Dist))) { Uses = Dist },
        new("SSKD", (work, _) => Stages(work.StudentStages, trainBackboneWithHead: false)),
        // Not as published: the head's stage trains the whole student, starting from the result of the earlier stages.
        new("SSKD unfrozen", (work, _) => Stages(work.StudentStages, trainBackboneWithHead: true)),
        new("NKD", (_, _) => [NkdWith(1.5, 1), NkdWith(3.5, 3), NkdWith(1.5, 4)]),
        new("TTM", (_, _) => [TtmWith(0.1, 45), TtmWith(0.25, 10), TtmWith(0.5, 4)]),
        new("WTTM", (_, _) => [WttmWith(0.2, 4), WttmWith(0.2, 16), WttmWith(0.5, 4)]),
        new("RLD", (_, _) => [RldWith(8, 4), RldWith(2, 4), RldWith(2, 2)]),
        new("Logit matching", (_, _) => [.. new[] { 1.0, 0.1, 0.01 }.Select(LogitMatchingWith)]),
        new("Partial KD", (_, _) => [PartialKdWith(TeacherTargets.TrueClass()), PartialKdWith(TeacherTargets.TopK(3)), PartialKdWith(TeacherTargets.Smoothed())]),
        new("Graph KD", (_, _) => [GraphKdWith(25, null), GraphKdWith(5, null), GraphKdWith(25, 8)]),
        // It compares the parts of a network between taps, so it needs two of them.
        new("Lipschitz", (_, _) => [LipschitzWith(1, 0.001), LipschitzWith(0.1, 0.001), LipschitzWith(0.1, 0.0001)]) { FewestStages = 2 },
        new("MetaDistil", (_, _) => [MetaDistilWith(4, 0.9), MetaDistilWith(2, 0.9), MetaDistilWith(4, 0.5)]),
        // It has no settings, so its search is over the learning rate again.
        new("SimKD", (work, _) => [.. new[] { 1, 0.5, 2 }.Select(factor => SimKdWith(work, factor))]),
    ];

    /// <summary>The names of all methods, in the order of the table.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(method => method.Method)];

    /// <summary>The methods of a comparison: all that the student can be trained with; or those that are chosen, with those that they use or are compared with.</summary>
    /// <exception cref="UsageException">The student cannot be trained with a chosen method.</exception>
    public static IReadOnlyList<ComparedMethod> For(Workload work)
    {
        if (work.Methods is not { } chosen)
            return [.. All.Where(IsPossible)];
        if (All.FirstOrDefault(method => chosen.Contains(method.Method) && !IsPossible(method)) is { } impossible)
            throw new UsageException($"{impossible.Method} needs a student with at least {impossible.FewestStages} parts, and {work.Student.Name} has {work.StudentStages}. Leave it out of --methods.");
        string?[] trained = [Alone, Kd, .. chosen, .. All.Where(method => chosen.Contains(method.Method)).Select(method => method.Uses)];
        return [.. All.Where(method => trained.Contains(method.Method))];

        bool IsPossible(ComparedMethod method) => work.StudentStages >= method.FewestStages;
    }

    /// <summary>The candidates of a method that are tried, all but those of the student alone at its rate.</summary>
    /// <param name="method">The method.</param>
    /// <param name="work">The data and the networks.</param>
    /// <param name="chosen">Finds the chosen candidate of an earlier method.</param>
    public static IEnumerable<Candidate> Create(ComparedMethod method, Workload work, Func<string, Candidate> chosen)
    {
        var candidates = method.CreateCandidates(work, chosen).Take(work.Tries);
        return method.Method == Alone
            ? candidates
            : candidates.Select(candidate => candidate with { LearningRateFactor = candidate.LearningRateFactor * chosen(Alone).LearningRateFactor });
    }

    private static Candidate LabelsOnly(double factor) =>
        new(Invariant($"learning rate × {factor}"), DistillationMethod.LabelsOnly()) { LearningRateFactor = factor };

    private static Candidate KdWith(double temperature, double alpha) =>
        new(Invariant($"T = {temperature}, α = {alpha}"), DistillationMethod.Kd(temperature, alpha));

    private static Candidate DistWith(double temperature, double weight) =>
        new(Invariant($"τ = {temperature}, weights {weight}"), DistillationMethod.Dist(temperature, weight, weight));

    private static Candidate CckdWith(double beta) => new(Invariant($"β = {beta}"), DistillationMethod.Cckd(beta: beta));

    private static Candidate NkdWith(double gamma, double temperature) =>
        new(Invariant($"γ = {gamma}, T = {temperature}"), DistillationMethod.Nkd(gamma, temperature));

    private static Candidate TtmWith(double exponent, double weight) =>
        new(Invariant($"exponent {exponent}, weight {weight}"), DistillationMethod.Ttm(exponent, weight));

    private static Candidate WttmWith(double exponent, double weight) =>
        new(Invariant($"exponent {exponent}, weight {weight}"), DistillationMethod.Wttm(exponent, weight));

    private static Candidate RldWith(double beta, double temperature) =>
        new(Invariant($"β = {beta}, T = {temperature}"), DistillationMethod.Rld(beta: beta, temperature: temperature));

    private static Candidate LogitMatchingWith(double weight) => new(Invariant($"weight {weight}"), DistillationMethod.LogitMatching(weight));

    private static Candidate PartialKdWith(TeacherTargets targets) => new($"T = 2, α = 0.5, {targets}", DistillationMethod.PartialKd(targets, 2, 0.5));

    private static Candidate GraphKdWith(double weight, int? neighbours) => new(
        Invariant($"weight {weight}, {(neighbours is { } nearest ? $"{nearest} neighbours" : "all edges")}"),
        DistillationMethod.GraphKd(weight: weight, neighbours: neighbours));

    private static Candidate LipschitzWith(double weight, double marginWeight) =>
        new(Invariant($"weight {weight}, margin's {marginWeight}"), DistillationMethod.Lipschitz(weight: weight, marginWeight: marginWeight));

    private static Candidate MetaDistilWith(double temperature, double alpha) => new(
        Invariant($"T = {temperature}, α = {alpha}"), DistillationMethod.MetaDistil(new MetaDistilOptions { Temperature = temperature, Alpha = alpha }));

    private static Candidate SimKdWith(Workload work, double factor) =>
        new(Invariant($"learning rate × {factor}"), DistillationMethod.SimKd())
        {
            LearningRateFactor = factor,
            Student = NetworkSpec.Projected(work.Student, work.TeacherEmbedding),
        };

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
