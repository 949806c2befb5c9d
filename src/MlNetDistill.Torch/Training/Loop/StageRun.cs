using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using TorchSharp;
using static System.FormattableString;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace MlNetDistill.Training;

/// <summary>A stage at work: its projections, its optimiser, and the training step.</summary>
internal sealed class StageRun : IDisposable
{
    // An epoch's mean loss that is so many times that of a student that has learnt nothing.
    private const double Diverging = 2;
    private readonly Stage _stage;
    private readonly Network _student;
    private readonly IRowSource _set;
    private readonly double? _gradientClipping;
    private readonly Dictionary<DistillationLoss, IReadOnlyList<nn.Module<Tensor, Tensor>>> _projections;
    private readonly Parameter[] _parameters;
    private readonly OptimizerState _optimizer;
    private readonly GradientWatch _gradients = new();
    private int _epoch;

    public StageRun(Stage stage, Network student, OutputShapes shapes, IRowSource set, Generator projecting, double? gradientClipping)
    {
        _stage = stage;
        _student = student;
        _set = set;
        _gradientClipping = gradientClipping;
        _projections = Projections(stage, shapes, projecting, set.Device);
        Parameter[] learning = [.. student.ParametersOf(stage.Trains)];
        if (learning.Length == 0)
        {
            throw new InvalidOperationException(
                $"Stage '{stage.Name}' has nothing to train: the part of the student it trains ({stage.Trains}) has no parameters, or all of them have requires_grad off.");
        }

        _parameters = [.. learning, .. _projections.Values.SelectMany(p => p).SelectMany(p => p.parameters())];
        _optimizer = new OptimizerState(Named());
        Losses = new EpochLosses(stage.Loss, learning, set.Device);
    }

    public EpochLosses Losses { get; }

    /// <summary>What a user should know of the epoch that has ended, each as one sentence or two.</summary>
    /// <param name="learningRate">The rate of its last step.</param>
    /// <param name="isFresh">Whether the student had learnt nothing before the stage.</param>
    public IEnumerable<string> Cautions(double learningRate, bool isFresh)
    {
        var untrained = Losses.Untrained(_student.Classes, isFresh);
        if (untrained > 0 && Losses.Total > Diverging * untrained)
        {
            yield return Invariant(
                $"Stage '{_stage.Name}', epoch {_epoch}: the training loss is {Losses.Total:G4}, {Losses.Total / untrained:G3} times the {untrained:G4} of a student that has ") + Invariant(
                $"learnt nothing: training diverges at a learning rate of {learningRate:G3}. Lower Optimizer.LearningRate ({_stage.Optimizer.LearningRate:G6}; a tenth is a usual next try), ") +
                "set GradientClipping (1 is a usual value), or give the schedule a warm-up.";
        }

        if (_epoch == 1 && _gradients.Caution(_stage.Name, _gradientClipping) is { } nothing)
            yield return nothing;
    }

    public void BeginEpoch(int epoch)
    {
        _epoch = epoch;
        _stage.Teacher?.BeginEpoch(epoch);
        // Validation put everything into eval mode.
        _student.TrainOnly(_stage.Trains);
        foreach (var projection in _projections.Values.SelectMany(p => p))
            projection.train();
    }

    /// <summary>One step, in the current dispose scope.</summary>
    public void Step(Batch batch, double learningRate, double? momentum)
    {
        // Whoever was told of progress may have turned gradients off.
        using var gradients = enable_grad();
        var output = _student.Forward(batch.Features, _stage.Loss.StudentNeeds, _stage.Trains.ThroughTap);
        foreach (var parameter in _parameters)
            parameter.grad = null;
        Losses.Backward(Inputs(batch, output), _epoch);
        _gradients.BeforeClipping(_parameters);
        if (_gradientClipping is { } norm)
            nn.utils.clip_grad_norm_(_parameters, norm);
        _gradients.AfterClipping(_parameters);
        _stage.Optimizer.Step(_optimizer, learningRate, momentum);
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        Losses.Dispose();
        foreach (var projection in _projections.Values.SelectMany(p => p))
            projection.Dispose();
    }

    private IEnumerable<(string Name, Parameter Parameter)> Named()
    {
        var names = new Dictionary<Parameter, string>(ReferenceEqualityComparer.Instance);
        foreach (var (name, parameter) in _student.named_parameters())
            names[parameter] = name;
        foreach (var (loss, projections) in _projections)
        {
            foreach (var (name, parameter) in projections.SelectMany((p, i) => p.named_parameters().Select(named => ($"{loss.Name}.{i}.{named.name}", named.parameter))))
                names[parameter] = name;
        }

        return _parameters.Select(parameter => (names[parameter], parameter));
    }

    private static Dictionary<DistillationLoss, IReadOnlyList<nn.Module<Tensor, Tensor>>> Projections(Stage stage, OutputShapes student, Generator generator, Device device)
    {
        var made = new Dictionary<DistillationLoss, IReadOnlyList<nn.Module<Tensor, Tensor>>>();
        if (stage.Teacher is not { } teacher)
            return made;
        foreach (var term in stage.Loss.Terms)
        {
            if (made.ContainsKey(term.Loss))
                continue;
            made[term.Loss] = term.Loss.Projections(student, teacher.Shapes, generator);
            // Before anyone asks for their parameters: moving a module makes new ones.
            foreach (var projection in made[term.Loss])
            {
                projection.to(device);
                // Made while the application's default was another type.
                if (projection.state_dict().Values.Any(value => value.is_floating_point() && value.dtype != float32))
                    projection.to(float32);
            }
        }

        return made;
    }

    private LossInputs Inputs(Batch batch, NetworkOutput student)
    {
        if (_stage.Teacher is not { } teacher || _stage.Loss.TeacherNeeds == ModelOutputs.None)
            return new LossInputs(student, null, batch.Labels, batch.Weights, _set.HasMissingLabels) { SoftLabels = batch.SoftLabels, HasNoLabels = _stage.HasNoLabels };
        // Asked by whichever term reads it first: what KD reads of a record is kept softened, and the logits themselves are then read by no one.
        return new LossInputs(student, null, batch.Labels, batch.Weights, _set.HasMissingLabels)
        {
            SoftLabels = batch.SoftLabels,
            HasNoLabels = _stage.HasNoLabels,
            Projections = _projections,
            AskTeacher = () =>
            {
                using (no_grad())
                    return teacher.Outputs(batch, _stage.Loss.TeacherNeeds);
            },
            TeacherSoftening = (inputs, temperature) =>
            {
                using (no_grad())
                    return teacher.KnownLogProbabilities(batch, temperature) ?? teacher.LogProbabilities(batch, inputs.Teacher, temperature);
            },
        };
    }
}
