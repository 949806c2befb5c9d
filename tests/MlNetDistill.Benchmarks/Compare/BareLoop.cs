using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MlNetDistill.Benchmarks;

/// <summary>The loop that a .NET user would write by hand with TorchSharp.</summary>
internal static class BareLoop
{
    public static readonly IReadOnlyList<string> Kinds = ["plain", "kd", "kd-live"];
    private const double Temperature = 4;
    private const double Alpha = 0.9;

    public static Speeds Measure(Workload workload, string kind, int batchSize, double warmUp, double seconds)
    {
        random.manual_seed(7);
        long[] shape = workload.Shape.IsImage ? [workload.Rows, workload.Shape.Channels, workload.Shape.Height, workload.Shape.Width] : [workload.Rows, workload.Shape.Length];
        var features = rand(shape);
        var labels = arange(workload.Rows) % workload.Classes;
        using var student = Build(workload, workload.Student);
        using var teacher = Build(workload, workload.Teacher);
        teacher.eval();
        Tensor? answers = null;
        if (kind == "kd")
        {
            using var noGrad = no_grad();
            answers = cat([.. features.split(batchSize).Select(teacher.forward)]);
        }

        const int steps = 10_000_000;
        var optimizer = optim.SGD(student.parameters(), 0.01, momentum: 0.9, weight_decay: 5e-4, nesterov: true);
        var schedule = optim.lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps: steps, pct_start: 0.2);
        var meter = new Speeds.Meter(workload.Rows, warmUp, seconds);
        do
        {
            using var epoch = NewDisposeScope();
            var order = randperm(workload.Rows);
            var sum = zeros(1);
            for (var at = 0; at < workload.Rows; at += batchSize)
            {
                using var step = NewDisposeScope();
                var chosen = order.slice(0, at, at + batchSize, 1);
                var (x, y) = (features.index_select(0, chosen), labels.index_select(0, chosen));
                var logits = student.forward(x);
                var loss = functional.cross_entropy(logits, y);
                if (kind != "plain")
                    loss = (1 - Alpha) * loss + Alpha * Divergence(logits, answers?.index_select(0, chosen) ?? Ask(teacher, x));
                optimizer.zero_grad();
                loss.backward();
                optimizer.step();
                schedule.step();
                sum.add_(loss.detach());
            }

            // As a user would print it.
            sum.item<float>();
        }
        while (!meter.EpochEnds());
        return meter.Result;
    }

    private static Tensor Ask(Module<Tensor, Tensor> teacher, Tensor rows)
    {
        using var noGrad = no_grad();
        return teacher.forward(rows);
    }

    private static Tensor Divergence(Tensor student, Tensor teacher) => Temperature * Temperature / student.shape[0] * functional.kl_div(
        functional.log_softmax(student / Temperature, 1), functional.log_softmax(teacher / Temperature, 1), log_target: true, reduction: Reduction.Sum);

    private static Module<Tensor, Tensor> Build(Workload workload, Workload.Layers layers)
    {
        var parts = new List<Module<Tensor, Tensor>>();
        int width;
        if (layers.Blocks == 0)
        {
            width = (int)workload.Shape.Length;
            foreach (var next in layers.Widths)
            {
                parts.Add(Linear(width, next));
                parts.Add(ReLU());
                width = next;
            }
        }
        else
        {
            width = layers.Widths[0];
            parts.AddRange([Conv2d(workload.Shape.Channels, width, 3, 1, 1, bias: false), BatchNorm2d(width), ReLU()]);
            foreach (var (index, next) in layers.Widths.Index())
            {
                for (var block = 0; block < layers.Blocks; block++)
                {
                    parts.Add(new Residual(width, next, index > 0 && block == 0 ? 2 : 1));
                    width = next;
                }
            }

            parts.AddRange([AdaptiveAvgPool2d(1), Flatten()]);
        }

        parts.Add(Linear(width, workload.Classes));
        return nn.Sequential(parts);
    }

    private sealed class Residual : Module<Tensor, Tensor>
    {
        private readonly Conv2d _conv1;
        private readonly BatchNorm2d _bn1;
        private readonly Conv2d _conv2;
        private readonly BatchNorm2d _bn2;
        private readonly Module<Tensor, Tensor> _shortcut;

        public Residual(int inputs, int outputs, int stride)
            : base("residual")
        {
            (_conv1, _bn1) = (Conv2d(inputs, outputs, 3, stride, 1, bias: false), BatchNorm2d(outputs));
            (_conv2, _bn2) = (Conv2d(outputs, outputs, 3, 1, 1, bias: false), BatchNorm2d(outputs));
            _shortcut = stride == 1 && inputs == outputs ? Identity() : nn.Sequential(Conv2d(inputs, outputs, 1, stride, bias: false), BatchNorm2d(outputs));
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            var inner = functional.relu(_bn1.forward(_conv1.forward(x)));
            return functional.relu(_bn2.forward(_conv2.forward(inner)) + _shortcut.forward(x));
        }
    }
}
