using Microsoft.ML;
using Microsoft.ML.Calibrators;
using Microsoft.ML.Trainers;
using MlNetDistill.Export;

namespace MlNetDistill.Fitting;

/// <summary>Recognises linear ML.NET models (SDCA, L-BFGS, averaged perceptron, one-versus-all of them), which are small and fast without distillation.</summary>
internal static class LinearTeacher
{
    /// <summary>Whether the last predictor of a model is linear in its features.</summary>
    public static bool Is(ITransformer? model) => model is not null && FindPredictor(model) is { } predictor && IsLinear(predictor);

    private static object? FindPredictor(ITransformer model) => model switch
    {
        IEnumerable<ITransformer> chain => chain.Select(FindPredictor).LastOrDefault(predictor => predictor is not null),
        ISingleFeaturePredictionTransformer<object> predicts => predicts.Model,
        _ => null,
    };

    private static bool IsLinear(object? predictor) => predictor switch
    {
        LinearModelParameters or LinearMulticlassModelParametersBase => true,
        OneVersusAllModelParameters all => InBox.SubModelsOf(all).All(IsLinear),
        null => false,
        _ => FindCalibrated(predictor) is { } inner && IsLinear(inner),
    };

    /// <summary>The model in a calibrated one, whose type arguments are often internal.</summary>
    private static object? FindCalibrated(object predictor)
    {
        for (var type = predictor.GetType(); type is not null; type = type.BaseType)
        {
            if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(CalibratedModelParametersBase<,>))
                return type.GetProperty(nameof(CalibratedModelParametersBase<object, ICalibrator>.SubModel))!.GetValue(predictor);
        }

        return null;
    }
}
