using MlNetDistill.Core;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MlNetDistill.Methods;

/// <summary>
/// One optimiser at work: changes parameters by their gradients. TorchSharp's own optimisers are not used, because they leave every number
/// of every step to the finaliser, which can free it while it is in use (see <see cref="Arithmetic"/>).
/// </summary>
internal abstract class UpdateRule(IEnumerable<Parameter> parameters) : IDisposable
{
    protected IReadOnlyList<Parameter> Parameters { get; } = [.. parameters];

    /// <summary>The learning rate of the next step.</summary>
    public double LearningRate { get; set; }

    /// <summary>The momentum of the next step; β₁ for AdamW.</summary>
    public double Momentum { get; set; }

    /// <summary>Changes every parameter that has a gradient. Gradients may be used up.</summary>
    public void Step()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Update();
    }

    public void Dispose()
    {
        foreach (var state in States())
            state?.Dispose();
    }

    protected abstract void Update();

    protected abstract IEnumerable<Tensor?> States();
}

/// <summary>PyTorch's SGD: g ← g + λw; v ← μv + g; w ← w - η(g + μv) with Nesterov, else w ← w - ηv.</summary>
internal sealed class SgdRule(IEnumerable<Parameter> parameters, bool nesterov, double weightDecay) : UpdateRule(parameters)
{
    private readonly Dictionary<Parameter, Tensor> _velocity = [];

    protected override void Update()
    {
        using var decay = weightDecay.ToScalar();
        using var momentum = Momentum.ToScalar();
        using var down = (-LearningRate).ToScalar();
        foreach (var parameter in Parameters)
        {
            if (parameter.grad is not { } gradient)
                continue;
            if (weightDecay != 0)
                gradient.add_(parameter, decay);
            parameter.add_(Momentum == 0 ? gradient : Accelerated(parameter, gradient, momentum), down);
        }
    }

    protected override IEnumerable<Tensor?> States() => _velocity.Values;

    private Tensor Accelerated(Parameter parameter, Tensor gradient, Scalar momentum)
    {
        if (_velocity.TryGetValue(parameter, out var velocity))
            velocity.mul_(momentum).Accumulate(gradient);
        else
            _velocity[parameter] = velocity = gradient.clone().DetachFromDisposeScope();
        return nesterov ? gradient.add_(velocity, momentum) : velocity;
    }
}

/// <summary>PyTorch's AdamW (Loshchilov and Hutter 2019, algorithm 2), β₂ = 0.999, ε = 1e-8.</summary>
internal sealed class AdamWRule(IEnumerable<Parameter> parameters, double weightDecay) : UpdateRule(parameters)
{
    private const double SquareDecay = 0.999;
    private const double Epsilon = 1e-8;
    private readonly Dictionary<Parameter, (Tensor Mean, Tensor Square)> _moments = [];
    private long _step;

    protected override void Update()
    {
        _step++;
        using var decay = (1 - (LearningRate * weightDecay)).ToScalar();
        using var beta1 = Momentum.ToScalar();
        using var rest1 = (1 - Momentum).ToScalar();
        using var beta2 = SquareDecay.ToScalar();
        using var rest2 = (1 - SquareDecay).ToScalar();
        using var correction2 = Math.Sqrt(1 - Math.Pow(SquareDecay, _step)).ToScalar();
        using var epsilon = Epsilon.ToScalar();
        using var down = (-LearningRate / (1 - Math.Pow(Momentum, _step))).ToScalar();
        using var one = 1.ToScalar();
        foreach (var parameter in Parameters)
        {
            if (parameter.grad is not { } gradient)
                continue;
            var (mean, square) = MomentsOf(parameter);
            parameter.mul_(decay);
            mean.mul_(beta1).add_(gradient, rest1);
            square.mul_(beta2).addcmul_(gradient, gradient, rest2);
            using var root = square.sqrt();
            parameter.addcdiv_(mean, root.div_(correction2).add_(epsilon, one), down);
        }
    }

    protected override IEnumerable<Tensor?> States() => _moments.Values.SelectMany(m => new[] { m.Mean, m.Square });

    private (Tensor Mean, Tensor Square) MomentsOf(Parameter parameter)
    {
        if (!_moments.TryGetValue(parameter, out var moments))
            _moments[parameter] = moments = (zeros_like(parameter).DetachFromDisposeScope(), zeros_like(parameter).DetachFromDisposeScope());
        return moments;
    }
}
