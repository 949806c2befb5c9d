using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Reading;
using MlNetDistill.Teachers;
using MlNetDistill.Training;
using static System.FormattableString;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <content>Many trainings over rows that are read once, with a teacher that is queried once.</content>
internal sealed partial class DistillationFit
{
    /// <summary>200 MB.</summary>
    private const double MostMadeUpNumbers = 5e7;

    /// <summary>Reads the rows, checks every candidate and prepares the teacher; then runs the trainings.</summary>
    /// <param name="space">What the candidates are.</param>
    /// <param name="judgeShare">The share of the held-out rows that judge the result; the others choose among the candidates.</param>
    /// <param name="validates">Whether trainings are validated on the rows that choose.</param>
    /// <param name="run">The trainings.</param>
    /// <exception cref="InvalidOperationException">A candidate cannot be trained, or too few rows are held out; the message says why.</exception>
    public T RunTrials<T>(ITrialSpace space, double judgeShare, bool validates, Func<FitTrials, T> run)
    {
        _rows.Read(TrainingRows.TrainingData);
        var transferRows = AddTransferRows(space);
        CompleteRows();
        var candidates = space.Draw(_options, _columns.Classes.Count, transferRows);
        using var rows = DivideHeldOut(judgeShare);
        HoldOut(rows, validates || candidates.Any(candidate => candidate.Method.NeedsHeldOutRows));
        CheckRows();
        using var ready = _options.Teacher!.IsReady ? PrepareTeacher() : null;
        var planned = ready?.Anchors ?? [.. _options.Teacher.PlanAnchors(CreateRequest())];
        var (parameters, phases) = CheckCandidates(candidates, planned);
        using var fitted = ready is null ? PrepareTeacher() : null;
        var teacher = ready ?? fitted!;
        DecideScores(teacher);
        BeginTeacher(teacher, candidates.All(candidate => candidate.Method.TrainsTeacher)
            ? ModelOutputs.None
            : candidates.Aggregate(ModelOutputs.Logits, (sum, candidate) => sum | candidate.Method.TeacherNeeds));
        var model = teacher.Network is { } network ? ExportTeacher(network, teacher.NetworkSpec!) : teacher.Model;
        using var answers = Scoring.TeacherOutputs(teacher.Teacher, ModelOutputs.Logits, Set, rows.All, _options.BatchSize).DetachFromDisposeScope();
        using var splits = new TrialSplits(Set, Split, _rows.Blocks);
        using var trials = new FitTrials(
            Context,
            [.. teacher.Anchors.Select(anchor => anchor with { Teacher = new KeptTeacher(anchor.Teacher) })],
            splits, model, _networks.TeacherPredictions, rows, answers, parameters, phases);
        return run(trials);
    }

    /// <summary>Adds the transfer rows of all candidates.</summary>
    /// <returns>The values that candidates may have.</returns>
    private List<TransferRows?> AddTransferRows(ITrialSpace space)
    {
        List<TransferRows?> values = [.. space.GetTransferRows(_options)];
        _rows.Add([.. values.SelectMany(TransferBlock.Of)]);
        var optional = space.GetOptionalTransferRows(_options, _columns.Classes.Count);
        if (optional.Count == 0)
            return values;
        var numbers = optional.OfType<MadeUpRows>().Sum(rows => Math.Min(rows.Copies * Split.Given.shape[0], rows.MaximumRows)) * _columns.Shape.Length;
        if (_columns.Shape.IsImage || _columns.IsByte || numbers > MostMadeUpNumbers)
        {
            _channel.Info($"The search makes up no rows, because features are {(numbers > MostMadeUpNumbers ? "many" : "pixels")}. To try them all the same, list them in SearchSpace.TransferRows.");
            return values;
        }

        try
        {
            _rows.Add([.. optional.SelectMany(TransferBlock.Of)]);
            values.AddRange(optional);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Nobody asked for these rows, and without them the search is complete.
            _channel.Warning($"The search tries no rows that are made up, because they cannot be made here: {e.Message}");
        }

        return values;
    }

    private JudgedRows DivideHeldOut(double judgeShare)
    {
        using var scope = NewDisposeScope();
        var held = Split.Validation!.cpu();
        var labelled = held.masked_select(Set.Labels.cpu().index_select(0, held).IsNotEqualTo(IRowSource.MissingLabel));
        var rows = labelled.shape[0];
        if (rows < 2)
        {
            throw new InvalidOperationException(Invariant($"A search holds out labelled rows to choose by and others to judge by, and {rows} of {Set.Count} rows would be left for both. ") +
                "Give more labelled rows, or larger ValidationFraction and JudgeFraction.");
        }

        using var generator = _seeds.CreateGenerator("search");
        var order = labelled.index_select(0, randperm(rows, device: CPU, generator: generator));
        var judging = Math.Clamp((long)Math.Round(rows * judgeShare), 1, rows - 1);
        return new JudgedRows(
            order.narrow(0, judging, rows - judging).sort().Values.to(_device).DetachFromDisposeScope(),
            order.narrow(0, 0, judging).sort().Values.to(_device).DetachFromDisposeScope());
    }

    private void HoldOut(JudgedRows rows, bool validates)
    {
        _rows.HoldOut(rows, validates);
        _networks.Dispose();
        CreateNetworks();
    }

    /// <summary>Checks that every candidate can be trained and exported.</summary>
    /// <returns>The number of parameters of each student, and the phases of each method.</returns>
    private (Dictionary<NetworkSpec, long> Parameters, Dictionary<DistillationMethod, IReadOnlyList<TrainingPhase>> Phases) CheckCandidates(
        IReadOnlyList<DistillationOptions> candidates, IReadOnlyList<Anchor> anchors)
    {
        var (parameters, phases) = (new Dictionary<NetworkSpec, long>(), new Dictionary<DistillationMethod, IReadOnlyList<TrainingPhase>>());
        foreach (var spec in _options.Teacher!.ExportedNetworks)
        {
            using var network = _export.Check(spec);
            _networks.KeepShapes(spec, network);
        }

        foreach (var group in candidates.GroupBy(candidate => candidate.Student))
        {
            using var network = _export.Check(group.Key);
            StepMemory.Check(network, group.Key.Name, _options, Split.Training.shape[0]);
            _options.InitialWeights?.Check(network.Input, _columns.Classes);
            parameters[group.Key] = network.ParameterCount;
            foreach (var candidate in group.DistinctBy(c => c.Method))
                phases[candidate.Method] = new DryRun(candidate, network, Set, candidate.Method.TeacherNeeds == ModelOutputs.None ? [] : anchors, _networks).Phases;
        }

        return (parameters, phases);
    }
}

/// <summary>The held-out rows of a search, by their positions.</summary>
/// <param name="Choosing">Those by which candidates are chosen.</param>
/// <param name="Judging">Those that judge the result.</param>
internal sealed record JudgedRows(Tensor Choosing, Tensor Judging) : IDisposable
{
    /// <summary>All of them: first those that choose.</summary>
    public Tensor All { get; } = cat([Choosing, Judging]).DetachFromDisposeScope();

    public void Dispose()
    {
        Choosing.Dispose();
        Judging.Dispose();
        All.Dispose();
    }
}
