using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>The projections that the loss terms of a stage created. They are trained with the student and disposed with the stage.</summary>
internal sealed class StageProjections : IDisposable
{
    private readonly Dictionary<DistillationLoss, IReadOnlyList<nn.Module<Tensor, Tensor>>> _ofTerms = [];

    public StageProjections(Stage stage, OutputShapes student, Generator generator, Device device)
    {
        // A stage without a teacher may have a training head over its labels.
        var teacher = stage.Teacher?.Shapes ?? student;
        foreach (var loss in stage.Loss.Terms.Select(t => t.Loss).Distinct())
        {
            _ofTerms[loss] = loss.CreateProjections(student, teacher, generator);
            // Before the optimizer reads their parameters: moving a module creates new ones.
            foreach (var projection in _ofTerms[loss])
            {
                projection.to(device);
                // Created while the default type of the application was another.
                if (projection.state_dict().Values.Any(value => value.is_floating_point() && value.dtype != float32))
                    projection.to(float32);
            }
        }
    }

    /// <summary>The projections of each term.</summary>
    public IReadOnlyDictionary<DistillationLoss, IReadOnlyList<nn.Module<Tensor, Tensor>>> OfTerms => _ofTerms;

    private IEnumerable<(string Name, nn.Module<Tensor, Tensor> Module)> Modules =>
        _ofTerms.SelectMany((term, i) => term.Value.Select((module, j) => ($"{i}.{term.Key.Name}.{j}", module)));

    /// <summary>Their parameters by name.</summary>
    public IEnumerable<(string Name, Parameter Parameter)> Parameters() =>
        Modules.SelectMany(m => m.Module.named_parameters().Select(p => ($"{m.Name}.{p.name}", p.parameter)));

    /// <summary>Parameters and buffers, by name.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Tensors() =>
        Modules.SelectMany(m => m.Module.state_dict().Select(t => KeyValuePair.Create($"{m.Name}.{t.Key}", t.Value)));

    /// <summary>Sets them to training mode.</summary>
    public void Train()
    {
        foreach (var (_, module) in Modules)
            module.train();
    }

    public void Dispose()
    {
        foreach (var (_, module) in Modules)
            module.Dispose();
    }
}
