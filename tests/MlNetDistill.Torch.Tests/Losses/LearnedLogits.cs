using MlNetDistill.Losses;
using MlNetDistill.Networks;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>What a loss teaches, apart from any network: the logits that minimise it.</summary>
internal static class LearnedLogits
{
    /// <summary>Logits of as many rows and classes as the teacher's, learned from zero by Adam.</summary>
    public static Tensor Learn(DistillationLoss loss, Tensor teacher, Tensor labels, int steps = 3000)
    {
        var student = new Parameter(zeros_like(teacher));
        using var optimizer = optim.Adam([student], 0.05);
        var schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, steps);
        for (var step = 0; step < steps; step++)
        {
            using var scope = NewDisposeScope();
            student.grad = null;
            loss.Evaluate(new LossInputs(NetworkOutput.FromLogits(student), NetworkOutput.FromLogits(teacher), labels)).backward();
            optimizer.step();
            schedule.step();
        }

        return student.detach();
    }

    /// <summary>Probabilities of one row.</summary>
    public static double[] Row(Tensor logits, int row) => Near.Values(logits.softmax(1)[row]);
}
