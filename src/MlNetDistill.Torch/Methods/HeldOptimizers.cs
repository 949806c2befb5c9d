using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MlNetDistill.Methods;

/// <summary>TorchSharp's AdamW with the same arithmetic and numbers that live until their call returns; see <see cref="Held"/>.</summary>
internal sealed class HeldAdamW(IEnumerable<Parameter> parameters, double learningRate, double weightDecay)
    : AdamW(parameters, learningRate, weight_decay: weightDecay)
{
    public override Tensor step(Func<Tensor>? closure = null) => _step<ParamGroup>(Step, closure);

    private void Step(ParamGroup group)
    {
        var options = (Options)group.Options;
        var (beta1, beta2, rate) = (options.beta1!.Value, options.beta2!.Value, options.LearningRate!.Value);
        using Scalar decay = 1 - (rate * options.weight_decay!.Value), epsilon = options.eps!.Value, one = 1;
        using Scalar keptMean = beta1, newMean = 1 - beta1, keptSquare = beta2, newSquare = 1 - beta2;
        foreach (var parameter in group.Parameters)
        {
            if (parameter.grad is not { } gradient)
                continue;
            var state = (State)_state[parameter.Handle];
            state.step++;
            using Scalar squareCorrection = Math.Sqrt(1 - Math.Pow(beta2, state.step)), step = -rate / (1 - Math.Pow(beta1, state.step));
            parameter.mul_(decay);
            state.exp_avg.mul_(keptMean).add_(gradient, newMean);
            state.exp_avg_sq.mul_(keptSquare).addcmul_(gradient, gradient, newSquare);
            var denominator = state.exp_avg_sq.sqrt().div_(squareCorrection).add_(epsilon, one);
            parameter.addcdiv_(state.exp_avg, denominator, step);
        }
    }
}

/// <summary>TorchSharp's SGD with the same arithmetic and numbers that live until their call returns; see <see cref="Held"/>.</summary>
internal sealed class HeldSgd(IEnumerable<Parameter> parameters, double learningRate, double momentum, double weightDecay, bool nesterov)
    : SGD(parameters, learningRate, momentum, 0, weightDecay, nesterov)
{
    public override Tensor step(Func<Tensor>? closure = null) => _step<ParamGroup>(Step, closure);

    private void Step(ParamGroup group)
    {
        var options = (Options)group.Options;
        var (hasMomentum, hasDecay) = (options.momentum!.Value != 0, options.weight_decay!.Value != 0);
        using Scalar momentum = options.momentum!.Value, decay = options.weight_decay!.Value, one = 1, step = -options.LearningRate!.Value;
        foreach (var parameter in group.Parameters)
        {
            if (parameter.grad is not { } gradient)
                continue;
            if (hasDecay)
                gradient = gradient.add(parameter, decay);
            if (hasMomentum)
            {
                var state = (State)_state[parameter.Handle];
                if (state.momentum_buffer is null)
                    state.momentum_buffer = gradient.clone().DetachFromDisposeScope();
                else
                    state.momentum_buffer.mul_(momentum).add_(gradient, one);
                gradient = options.nesterov!.Value ? gradient.add(state.momentum_buffer, momentum) : state.momentum_buffer;
            }

            parameter.add_(gradient, step);
        }
    }
}
